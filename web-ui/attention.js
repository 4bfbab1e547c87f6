// What of the status an operator has to know first, worst first.
import { h } from './dom.js';
import { count, several } from './format.js';
import * as route from './route.js';

function ofDaemon({ daemon, journal }) {
  const found = [];
  if (daemon.state === 'failed') found.push({ level: 'bad', what: 'The daemon failed', why: 'It schedules nothing any more. Its log says why; start it again.' });
  if (daemon.state === 'paused') found.push({ level: 'warn', what: 'The daemon is paused', why: 'It was started with --paused and schedules nothing.' });
  if (daemon.state === 'draining') found.push({ level: 'warn', what: 'The daemon is draining', why: 'It finishes what it began, then ends.' });
  if (journal.failure) found.push({ level: 'bad', what: 'The journal cannot be written', why: journal.failure });
  else if (journal.congested) found.push({ level: 'warn', what: 'The disk is behind', why: 'The journal waits for it, and nothing new is scheduled until it has caught up.' });
  return found;
}

const ofFlow = (flow) => ({
  level: 'bad', href: route.to('flows'),
  what: flow.state === 'invalid' ? `Flow ${flow.name} does not run` : `Flow ${flow.name}: its new file was not taken, the old one goes on`,
  why: flow.problem,
});

const ofPaused = (processor) => ({
  level: 'bad', href: route.to('processor', processor.flow, processor.name), what: `${processor.id} is paused`,
  why: processor.last_error?.message ?? 'no reason given',
});

const ofRetrying = (processor) => ({
  level: 'warn', href: route.to('processor', processor.flow, processor.name),
  what: `${processor.id}: ${several(processor.retrying, 'FlowFile')} wait${processor.retrying === 1 ? 's' : ''} for a retry`,
  why: processor.last_error?.message ?? '',
});

// The last refusal of the processor that held them back is the likely reason; the list of what is held has each one's own.
const ofHeld = (connection, from) => ({
  level: 'warn', href: route.to('queue', connection.flow, connection.id),
  what: `${several(connection.held, 'FlowFile')} ${connection.held === 1 ? 'is' : 'are'} held in ${connection.flow}/${connection.id}`,
  why: from?.last_error?.class === 'permanent' ? from.last_error.message : 'See why, then replay or empty.',
});

const ofOrphaned = (connection) => ({
  level: 'bad', href: route.to('queue', connection.flow, connection.id),
  what: `${several(connection.objects, 'FlowFile')} in ${connection.flow}/${connection.id}, which no flow has any more`,
  why: 'Its flow does not start until they are moved or emptied, or `was:` in the flow says where they went.',
});

const ofPressed = (connection) => ({
  level: 'warn', href: route.to('queue', connection.flow, connection.id), what: `${connection.flow}/${connection.id} is full`,
  why: `${count(connection.objects)} FlowFiles; ${connection.from ?? 'what fills it'} waits until ${connection.to ?? 'its reader'} has taken some.`,
});

const ofStopped = (processor) => ({
  level: 'info', href: route.to('processor', processor.flow, processor.name), what: `${processor.id} is stopped`, why: 'By hand; it stays stopped until it is started.',
});

export function troubles(status) {
  const { flows, processors, connections } = status;
  const found = [
    ...ofDaemon(status),
    ...flows.filter((flow) => flow.problem).map(ofFlow),
    ...processors.filter((processor) => processor.state === 'paused').map(ofPaused),
    ...connections.filter((connection) => connection.orphaned && connection.objects).map(ofOrphaned),
    ...connections.filter((connection) => connection.held && !connection.orphaned)
      .map((connection) => ofHeld(connection, processors.find(({ flow, name }) => flow === connection.flow && name === connection.from))),
    ...connections.filter((connection) => connection.back_pressure).map(ofPressed),
    ...processors.filter((processor) => processor.retrying && processor.state !== 'paused').map(ofRetrying),
    ...processors.filter((processor) => processor.desired === 'stopped').map(ofStopped),
  ];
  const worst = ['bad', 'warn', 'info'];
  return found.map((trouble, i) => ({ ...trouble, i })).sort((a, b) => worst.indexOf(a.level) - worst.indexOf(b.level) || a.i - b.i);
}

const WORDS = { bad: 'Broken', warn: 'Look', info: 'Note' };

export function attention(status) {
  const found = troubles(status);
  if (!found.length) return h('p', { class: 'well', id: 'attention' }, 'Nothing needs you: no processor is paused, nothing is held, no queue is full.');
  return h('ul', { class: 'attention', id: 'attention', 'aria-label': 'What needs attention' },
    found.map(({ level, what, why, href }) => h('li', { class: level },
      h('span', { class: 'word' }, WORDS[level]), h('div', null, href ? h('a', { href }, what) : h('strong', null, what), h('div', { class: 'why' }, why)))));
}
