// One event of provenance, whole, with the lineage of its FlowFile.
import * as api from './api.js';
import { h } from './dom.js';
import { bytes, clock, count, microseconds, time } from './format.js';
import { lineageGraph } from './lineage-graph.js';
import * as route from './route.js';

const fact = (name, value) => value !== null && value !== undefined && value !== '' && [h('dt', null, name), h('dd', null, value)];

const flowfileLink = (flowfile) => h('a', { class: 'mono', href: route.toSearch({ flowfile }) }, flowfile);

const relatives = (list) => (list?.length ? list.map((flowfile) => h('div', null, flowfileLink(flowfile))) : null);

function contentOf(event) {
  if (!event.content) return 'none';
  const link = (side, words) => h('a', { href: api.contentAddress(event.seq, side), download: '' }, words);
  return [`${bytes(event.content.size)} (${count(event.content.size)} bytes) `, link('output', 'Download'), ' · ', link('input', 'as it came in'),
    h('div', { class: 'mono' }, event.content.sha256 ? `sha256 ${event.content.sha256}` : 'sha256 not computed')];
}

function facts(event) {
  const component = event.component && h('a', { href: route.to('processor', event.flow, event.component) }, `${event.flow}/${event.component}`);
  return h('dl', { class: 'facts', id: 'event' },
    fact('Time', [time(event.time), h('span', { class: 'muted' }, ` ${event.time}`)]),
    fact('Component', component && [component, h('span', { class: 'muted' }, ` ${event.component_type ?? ''}`)]),
    fact('Relationship', event.relationship), fact('To queue', event.connection && h('a', { href: route.to('queue', event.flow, event.connection) }, event.connection)),
    fact('Transit URI', event.transit_uri && h('span', { class: 'mono' }, event.transit_uri)), fact('Content', contentOf(event)),
    fact('FlowFile', event.flowfile && flowfileLink(event.flowfile)), fact('Parents', relatives(event.parents)), fact('Children', relatives(event.children)),
    fact('Took', event.duration_us ? microseconds(event.duration_us) : null), fact('Flow revision', event.flow_revision && h('span', { class: 'mono' }, event.flow_revision)));
}

function details(event) {
  if (event.details === null || event.details === undefined) return null;
  const list = typeof event.details === 'object' ? Object.entries(event.details) : [['details', event.details]];
  return [h('h2', null, 'Details'), h('dl', { class: 'facts', id: 'details' }, list.map(([name, value]) => [h('dt', null, name), h('dd', { class: 'mono' }, typeof value === 'string' ? value : JSON.stringify(value))]))];
}

const cell = (value, name) => h('td', { 'data-label': name }, value ?? h('span', { class: 'muted' }, '–'));

function attributes(event) {
  const after = event.attributes ?? {};
  const changed = event.changed ?? {};
  const names = [...new Set([...Object.keys(changed).sort(), ...Object.keys(after).sort()])]; // what changed first
  const row = (name) => {
    if (!Object.hasOwn(changed, name)) return h('tr', null, h('th', { scope: 'row' }, name), h('td', { colspan: 2 }, after[name]));
    const [before, now] = changed[name];
    const how = before === null ? 'new' : now === null ? 'removed' : 'changed';
    return h('tr', { class: 'changed' }, h('th', { scope: 'row' }, name, h('span', { class: 'tag info' }, how)), cell(before, 'Before'), cell(now, 'After'));
  };
  return [h('h2', null, 'Attributes'), event.changed === null && h('p', { class: 'muted' }, 'What they were before is no longer kept.'),
    names.length ? h('div', { class: 'scroll' }, h('table', { class: 'attributes cards', id: 'attributes' },
      h('thead', null, h('tr', null, ['Attribute', 'Before', 'After'].map((name) => h('th', { scope: 'col' }, name)))), h('tbody', null, names.map(row)))) : h('p', { class: 'empty' }, 'None.')];
}

export function eventPage({ parts: [seq], redraw }) {
  let event, lineage, problem, lineageProblem;
  let gone = false;
  const tell = () => !gone && redraw();
  const read = async () => {
    try {
      event = await api.event(seq);
      tell();
    } catch (refused) {
      problem = refused;
      return tell();
    }
    if (!event.flowfile) return undefined;
    try {
      lineage = await api.lineage(event.flowfile);
    } catch (refused) {
      lineageProblem = refused;
    }
    return tell();
  };
  read();
  const lineagePart = () => [h('h2', null, 'Lineage'), lineageProblem ? h('p', { class: 'problem' }, lineageProblem.message) : lineage ? lineageGraph(lineage, event) : h('p', { class: 'muted' }, event.flowfile ? 'Reading…' : 'This event is of no FlowFile.')];
  return {
    title: `Event ${seq}`,
    leave: () => { gone = true; },
    draw() {
      const head = h('nav', { class: 'crumbs', 'aria-label': 'Where' }, h('a', { href: '#/provenance' }, 'Provenance'), ' /');
      if (problem) return [head, h('h1', { tabindex: '-1' }, `Event ${seq}`), h('p', { class: 'problem' }, problem.message)];
      if (!event) return [head, h('h1', { tabindex: '-1' }, `Event ${seq}`), h('p', { class: 'muted' }, 'Reading…')];
      const name = event.attributes?.filename;
      return [head, h('h1', { tabindex: '-1' }, `${event.type}${name ? ` ${name}` : ''}`), h('p', { class: 'muted' }, `Event ${seq}, ${clock(event.time)}`), facts(event), lineagePart(), details(event), attributes(event)];
    },
  };
}
