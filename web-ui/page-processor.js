// One processor: its figures whole, its last error, its queues, its bulletins.
import { bulletinList } from './bulletins.js';
import { h } from './dom.js';
import { ago, bytes, count, microseconds } from './format.js';
import { stateTag, switchButton } from './processors.js';
import { queueTable } from './queues.js';
import * as route from './route.js';

const FIGURES = [
  ['In', (of) => `${count(of.in)} (${bytes(of.in_bytes)})`], ['Out', (of) => `${count(of.out)} (${bytes(of.out_bytes)})`],
  ['Read', (of) => bytes(of.read_bytes)], ['Written', (of) => bytes(of.written_bytes)],
  ['Tasks', (of) => count(of.tasks)], ['Time in tasks', (of) => microseconds(of.task_us)], ['Failures', (of) => count(of.failures)],
];

const figures = (processor) => h('table', { class: 'figures' },
  h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Figure'), h('th', { scope: 'col', class: 'number' }, '5 minutes'), h('th', { scope: 'col', class: 'number' }, 'Since the start'))),
  h('tbody', null, FIGURES.map(([name, format]) => h('tr', null, h('th', { scope: 'row' }, name),
    h('td', { class: 'number' }, format(processor.five_minutes)), h('td', { class: 'number' }, format(processor.total))))));

const own = (processor) => {
  const list = Object.entries(processor.figures);
  return list.length > 0 && [h('h2', null, `Figures of ${processor.type}`), h('dl', { class: 'facts' }, list.map(([name, value]) => [h('dt', null, name), h('dd', null, count(value))]))];
};

function lastError(processor, now) {
  const error = processor.last_error;
  if (!error) return null;
  return h('div', { class: processor.state === 'paused' ? 'problem' : 'note-box' },
    h('p', null, h('strong', null, processor.state === 'paused' ? 'Paused' : 'Last error'), `, ${error.class ?? 'error'}, `, ago(error.at, now)), h('pre', null, error.message ?? ''));
}

function drawn(processor, feed) {
  const now = feed.now();
  const { id, name, flow, type } = processor;
  const queues = feed.status.connections.filter((connection) => connection.flow === flow && (connection.from === name || connection.to === name));
  const bulletins = feed.bulletins.filter((bulletin) => bulletin.component === id);
  return [
    h('nav', { class: 'crumbs', 'aria-label': 'Where' }, h('a', { href: route.to('flows') }, 'Flows'), ` / ${flow} /`),
    h('h1', { tabindex: '-1' }, name, ' ', stateTag(processor.state)),
    h('p', { class: 'bar-line' }, h('span', { class: 'muted' }, `${type}, ${processor.active} of ${processor.concurrency} active, ${count(processor.retrying)} waiting for a retry, ${count(processor.pending_effects)} effects under way`),
      switchButton(processor, feed), h('a', { href: route.toSearch({ flow, component: name }) }, 'Its events')),
    lastError(processor, now), h('h2', null, 'Figures'), figures(processor), own(processor),
    h('h2', null, 'Queues'), queueTable(queues, now), h('h2', null, 'Bulletins'), bulletinList(bulletins, 'None of this processor.'),
  ];
}

export function processorPage({ feed, parts: [flow, name] }) {
  return {
    title: `${flow}/${name}`,
    draw() {
      const found = feed.status.processors.find((processor) => processor.flow === flow && processor.name === name);
      if (found) return drawn(found, feed);
      return [h('h1', { tabindex: '-1' }, `${flow}/${name}`), h('p', { class: 'empty' }, 'There is no such processor in a running flow. ', h('a', { href: route.to('flows') }, 'See the flows'), '.')];
    },
  };
}
