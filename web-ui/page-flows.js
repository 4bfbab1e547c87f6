// The first page: what needs attention, the sums, each flow with its graph and tables.
import { attention } from './attention.js';
import { h } from './dom.js';
import { bytes, count, several } from './format.js';
import { flowGraph } from './flow-graph.js';
import { processorTable } from './processors.js';
import { queueTable } from './queues.js';

const FLOW_LEVELS = { running: 'good', invalid: 'bad', draining: 'warn', waiting: 'warn' };
const OPEN_FLOWS = 3; // so many are shown unfolded

const tile = (name, value, note, level = '') => h('div', { class: `tile ${level}` }, h('dt', null, name), h('dd', null, h('span', { class: 'big' }, value), note && h('span', { class: 'muted' }, note)));

function sums(status) {
  const { connections, processors } = status;
  const queued = connections.filter((connection) => !connection.hold);
  const held = connections.reduce((sum, connection) => sum + connection.held, 0);
  const sum = (list, of) => list.reduce((total, item) => total + of(item), 0);
  const paused = processors.filter((processor) => processor.state === 'paused').length;
  const entered = sum(processors.filter((processor) => processor.source), (processor) => processor.five_minutes.out);
  return h('dl', { class: 'tiles', id: 'sums' },
    tile('Queued', count(sum(queued, (connection) => connection.objects)), bytes(sum(queued, (connection) => connection.bytes))),
    tile('Held', count(held), bytes(sum(connections.filter((connection) => connection.hold), (connection) => connection.bytes)), held ? 'warn' : ''),
    tile('Paused', count(paused), `of ${several(processors.length, 'processor')}`, paused ? 'bad' : ''),
    tile('Entered', count(entered), 'in 5 minutes'),
    tile('Done', count(status.delivered), 'since the start'),
    tile('Ended by failure', count(status.ended_by_failure), 'since the start', status.ended_by_failure ? 'warn' : ''),
    tile('Content kept', bytes(status.content.bytes), 'on disk'),
    tile('Journal', bytes(status.journal.bytes), several(status.journal.segments, 'segment'), status.journal.failure ? 'bad' : ''));
}

function problemOf(flow) {
  if (!flow.problem) return null;
  const what = flow.state === 'invalid' ? 'This flow does not run; its file was not taken:' : 'The file was not taken; what runs is what ran before:';
  return h('div', { class: 'flow-problem' }, h('p', null, what), h('pre', null, flow.problem),
    h('p', { class: 'muted' }, 'Mend the file (', h('code', null, 'sluice validate FILE'), ' tells all problems), then ', h('code', null, `sluice reload ${flow.name}`), '.'));
}

function summary(flow, processors, connections) {
  const held = connections.reduce((total, connection) => total + connection.held, 0);
  const queued = connections.reduce((total, connection) => total + (connection.hold ? 0 : connection.objects), 0);
  const paused = processors.filter((processor) => processor.state === 'paused').length;
  return h('summary', null, h('h2', null, flow.name), h('span', { class: `tag state ${FLOW_LEVELS[flow.state] ?? 'info'}` }, flow.state),
    paused > 0 && h('span', { class: 'tag bad' }, `${count(paused)} paused`), held > 0 && h('span', { class: 'tag warn' }, `${count(held)} held`),
    h('span', { class: 'muted' }, `${count(queued)} queued`));
}

function section(flow, status, now, feed, open) {
  const processors = status.processors.filter((processor) => processor.flow === flow.name);
  const connections = status.connections.filter((connection) => connection.flow === flow.name).sort((a, b) => (a.id < b.id ? -1 : 1));
  return h('details', { key: flow.name, class: 'flow', open, 'data-flow': flow.name }, summary(flow, processors, connections),
    h('div', { class: 'flow-body' },
      flow.description && h('p', { class: 'description' }, flow.description, h('span', { class: 'muted' }, `  revision ${flow.revision}`)),
      problemOf(flow),
      flow.state !== 'invalid' && [
        flowGraph(flow, processors, connections),
        h('h3', null, 'Processors'), processorTable(processors, now, feed),
        h('h3', null, 'Queues'), queueTable(connections, now)]));
}

// Queues of flows that are gone.
function strays(status, now) {
  const names = new Set(status.flows.filter((flow) => flow.state !== 'invalid').map((flow) => flow.name));
  const left = status.connections.filter((connection) => !names.has(connection.flow));
  return left.length > 0 && h('section', { key: 'strays' }, h('h2', null, 'Queues without a running flow'), queueTable(left, now));
}

function noFlows() {
  return h('div', { class: 'empty', key: 'none' }, h('p', null, 'No flow is loaded.'),
    h('p', null, 'Put one into ', h('code', null, '/etc/sluice/flows/NAME.yaml'), ', check it with ', h('code', null, 'sluice validate'), ', then ',
      h('code', null, 'sluice reload'), '; or start the daemon with ', h('code', null, '--flow FILE'), '.'));
}

export function flowsPage({ feed }) {
  return {
    title: 'Flows',
    draw() {
      const { status } = feed;
      const flows = [...status.flows].sort((a, b) => (a.name < b.name ? -1 : 1));
      return [h('h1', { tabindex: '-1', class: 'unseen' }, 'Flows'), attention(status), sums(status),
        flows.map((flow) => section(flow, status, feed.now(), feed, flows.length <= OPEN_FLOWS || Boolean(flow.problem))),
        strays(status, feed.now()), !flows.length && noFlows()];
    },
  };
}
