// Where a FlowFile came from and what came of it, as a picture.
import { h, s } from './dom.js';
import { clock } from './format.js';
import { fitting, graph } from './graph.js';
import * as route from './route.js';

const EVENT = { width: 184, height: 56 };
const FLOWFILE = { width: 112, height: 28 };

function eventBox(node, seq) {
  const where = [node.component, node.relationship].filter(Boolean).join(' → ');
  const label = `${node.type}${where ? ` at ${where}` : ''}, ${clock(node.time)}${node.transit_uri ? `, ${node.transit_uri}` : ''}`;
  const here = node.seq === seq;
  return s('a', { class: `event ${here ? 'here' : ''}`, href: route.to('event', node.seq), 'aria-label': label, 'aria-current': here ? 'true' : null, 'data-seq': node.seq },
    s('title', null, label),
    s('rect', { class: 'shape', width: EVENT.width, height: EVENT.height, rx: 7 }),
    s('text', { class: 'name', x: 10, y: 18 }, fitting(node.type, EVENT.width - 16, 8)),
    s('text', { class: 'note', x: 10, y: 33 }, fitting(where || '–', EVENT.width - 16)),
    s('text', { class: 'note', x: 10, y: 48 }, clock(node.time)));
}

function flowfilePill(node, flowfile) {
  return s('a', { class: `flowfile ${node.flowfile === flowfile ? 'here' : ''}`, href: route.toSearch({ flowfile: node.flowfile }), 'aria-label': `FlowFile ${node.flowfile}` },
    s('title', null, node.flowfile),
    s('rect', { class: 'shape', width: FLOWFILE.width, height: FLOWFILE.height, rx: 14 }),
    s('text', { class: 'note', x: FLOWFILE.width / 2, y: 18, 'text-anchor': 'middle' }, node.flowfile.slice(-12)));
}

export function lineageGraph(lineage, event) {
  const nodes = lineage.nodes.map((node) => ({
    ...(node.kind === 'event' ? EVENT : FLOWFILE), id: node.id,
    draw: () => (node.kind === 'event' ? eventBox(node, event.seq) : flowfilePill(node, event.flowfile)),
  }));
  const ids = new Set(nodes.map((node) => node.id));
  const edges = lineage.edges.filter((edge) => ids.has(edge.from) && ids.has(edge.to)).map((edge) => ({ ...edge, id: `${edge.from} ${edge.to}`, arrow: true }));
  return [lineage.truncated && h('p', { class: 'muted' }, 'It is larger than is shown; follow a FlowFile to see more of it.'),
    h('div', { class: 'scroll picture', tabindex: '0', role: 'region', 'aria-label': 'Lineage, scrolls' }, graph({ nodes, edges, label: 'Lineage' }))];
}
