// One queue, and the page of all that is held.
import { h } from './dom.js';
import { bytes, several } from './format.js';
import { Listing } from './flowfiles.js';
import { queueTable } from './queues.js';
import * as route from './route.js';

export function queuePage(context) {
  const [flow, id] = context.parts;
  const listing = new Listing(flow, id, context);
  return {
    title: id,
    draw() {
      const { feed } = context;
      const found = feed.status.connections.find((connection) => connection.flow === flow && connection.id === id);
      const head = [h('nav', { class: 'crumbs', 'aria-label': 'Where' }, h('a', { href: route.to('flows') }, 'Flows'), ` / ${flow} /`), h('h1', { tabindex: '-1' }, id)];
      if (!found) return [head, h('p', { class: 'empty' }, 'There is no such queue, or it was of a flow that is gone and is empty now.')];
      return [head, queueTable([found], feed.now()), h('h2', null, found.hold ? 'What is held, and why' : 'What is queued'), listing.draw(found)];
    },
  };
}

const nothingHeld = () => h('div', { class: 'empty' }, h('p', null, 'Nothing is held.'),
  h('p', null, 'A FlowFile comes here when a processor cannot deliver it and its flow sends that relationship to ', h('code', null, 'hold'), '. It stays until it is replayed or dropped.'));

export function heldPage(context) {
  const listings = new Map();
  const listingOf = ({ flow, id }) => {
    const key = `${flow}/${id}`;
    if (!listings.has(key)) listings.set(key, new Listing(flow, id, context));
    return listings.get(key);
  };
  return {
    title: 'Held',
    draw() {
      const held = context.feed.status.connections.filter((connection) => connection.held);
      return [h('h1', { tabindex: '-1' }, 'Held'), !held.length && nothingHeld(), held.map((connection) => h('section', { key: `${connection.flow}/${connection.id}`, class: 'panel', 'data-hold': connection.id },
        h('h2', null, h('a', { href: route.to('queue', connection.flow, connection.id) }, `${connection.flow}/${connection.id}`)),
        h('p', { class: 'muted' }, `${several(connection.held, 'FlowFile')}, ${bytes(connection.bytes)}. Replay gives them back to ${connection.from ?? 'their processor'}.`),
        listingOf(connection).draw(connection)))];
    },
  };
}
