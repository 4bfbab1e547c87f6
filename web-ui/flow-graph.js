// A flow as a picture: a box for each processor, a pill for each queue on its line.
import { h, s } from './dom.js';
import { bytes, count } from './format.js';
import { fitting, graph } from './graph.js';
import { fullness, queueName } from './queues.js';
import * as route from './route.js';

const BOX = { width: 168, height: 60 };
const PILL = { width: 116, height: 40 };

const relationshipOf = (connection) => connection.id.split('.').at(-2) ?? connection.id;

function boxOf(processor) {
  const { name, type, state, five_minutes: five } = processor;
  const note = processor.retrying ? `, ${count(processor.retrying)} wait for a retry` : '';
  const label = `${name}, ${type}: ${state}; in ${count(five.in)}, out ${count(five.out)} in five minutes${note}`;
  return s('a', { class: `box state-${state}`, href: route.to('processor', processor.flow, name), 'aria-label': label, 'data-processor': name },
    s('title', null, label),
    s('rect', { class: 'shape', width: BOX.width, height: BOX.height, rx: 7 }),
    s('rect', { class: 'stripe', width: 5, height: BOX.height - 14, x: 5, y: 7, rx: 2 }),
    s('text', { class: 'name', x: 18, y: 19 }, fitting(name, BOX.width - 26, 7.3)),
    s('text', { class: 'note', x: 18, y: 34 }, fitting(type, BOX.width - 26)),
    s('text', { class: 'state', x: 18, y: 51 }, state),
    s('text', { class: 'figures', x: BOX.width - 9, y: 51 }, processor.retrying ? `↻ ${count(processor.retrying)}` : `${count(five.in)} → ${count(five.out)}`));
}

function pillOf(connection) {
  const { objects, bytes: size } = connection;
  const share = fullness(connection);
  const kind = connection.hold ? 'hold' : connection.back_pressure ? 'pressed' : 'plain';
  const what = connection.hold ? (objects ? 'held' : 'hold') : connection.back_pressure ? 'full' : '';
  const label = `${queueName(connection)}: ${count(objects)} FlowFiles, ${bytes(size)}${connection.hold ? ', held until replayed or emptied' : connection.back_pressure ? ', back pressure' : ''}`;
  return s('a', { class: `pill ${kind} ${objects ? 'some' : 'none'}`, href: route.to('queue', connection.flow, connection.id), 'aria-label': label, 'data-queue': connection.id },
    s('title', null, label),
    s('rect', { class: 'shape', width: PILL.width, height: PILL.height, rx: 9 }),
    s('text', { class: 'note', x: 9, y: 15 }, fitting(relationshipOf(connection), PILL.width - (what ? 46 : 14), 6.4)),
    what && s('text', { class: 'mark', x: PILL.width - 8, y: 15 }, what),
    s('text', { class: 'objects', x: 9, y: 31 }, count(objects)),
    s('text', { class: 'figures', x: PILL.width - 8, y: 31 }, objects ? bytes(size) : ''),
    !connection.hold && s('rect', { class: 'full', x: 9, y: PILL.height - 5, height: 2.5, width: Math.round((PILL.width - 18) * share) }));
}

export function flowGraph(flow, processors, connections) {
  const known = new Set(processors.map((processor) => processor.name));
  const lines = connections.filter((connection) => known.has(connection.from)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const nodes = processors.map((processor) => ({ ...BOX, id: processor.name, draw: () => boxOf(processor) }));
  const edges = [];
  for (const connection of lines) {
    const id = `queue ${connection.id}`;
    const style = connection.hold ? 'hold' : connection.back_pressure ? 'pressed' : '';
    nodes.push({ ...PILL, id, draw: () => pillOf(connection) });
    edges.push({ id: `${id} in`, from: connection.from, to: id, class: style });
    if (!connection.hold && known.has(connection.to)) edges.push({ id: `${id} out`, from: id, to: connection.to, class: style, arrow: true });
  }
  if (!nodes.length) return h('p', { class: 'empty' }, 'This flow has no processors.');
  return h('div', { class: 'scroll picture', tabindex: '0', role: 'region', 'aria-label': `Graph of ${flow.name}, scrolls` },
    graph({ nodes, edges, label: `${flow.name}: ${processors.length} processors, ${lines.length} queues` }));
}
