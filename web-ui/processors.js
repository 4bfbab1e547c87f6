// The table of processors, and starting and stopping one.
import * as api from './api.js';
import { h } from './dom.js';
import { ago, bytes, count, duration, microseconds } from './format.js';
import * as route from './route.js';
import { said } from './say.js';

const LEVELS = { running: 'good', paused: 'bad', stopped: 'info', stopping: 'warn', disabled: 'info', draining: 'warn', waiting: 'warn' };

// States that say nothing of what is desired.
const UNLIKE = ['waiting', 'draining'];

export const stateTag = (state) => h('span', { class: `tag state ${LEVELS[state] ?? 'info'}` }, state);

const figure = (number, size) => [h('span', { class: 'figure' }, count(number)), h('span', { class: 'muted' }, bytes(size))];

async function set(processor, verb, feed) {
  try {
    await api.setProcessor(processor.flow, processor.name, verb);
    said(`${processor.id}: ${verb === 'start' ? 'started' : 'stopped; it stays stopped until it is started again'}`);
  } catch (problem) {
    said(`${processor.id} was not changed: ${problem.message}`, true);
  }
  await feed.refresh();
}

export function switchButton(processor, feed) {
  if (processor.state === 'disabled') return null;
  const verb = processor.desired === 'running' ? 'stop' : 'start';
  return h('button', { type: 'button', class: 'small', 'data-verb': verb, 'aria-label': `${verb} ${processor.id}`, on: { click: () => set(processor, verb, feed) } },
    verb === 'stop' ? 'Stop' : 'Start');
}

function errorCell(processor, now) {
  const { last_error: error, last_success_at: success } = processor;
  if (!error) return '–';
  const over = processor.state !== 'paused' && success && success > error.at;
  return h('div', { class: over ? 'error over' : 'error' },
    h('strong', null, error.class ?? 'error'), ', ', ago(error.at, now), over && ' (since then it succeeded)',
    processor.state === 'paused' ? null : h('div', { class: 'message' }, error.message ?? ''));
}

function row(processor, now, feed) {
  const five = processor.five_minutes;
  return h('tr', { key: processor.id, class: processor.state === 'paused' ? 'bad' : '', 'data-processor': processor.name },
    h('th', { scope: 'row' }, h('a', { href: route.to('processor', processor.flow, processor.name) }, processor.name), h('div', { class: 'muted' }, processor.type)),
    h('td', { 'data-label': 'State', class: 'state-cell' }, stateTag(processor.state),
      UNLIKE.includes(processor.state) && h('span', { class: 'muted' }, ` to be ${processor.desired}`), switchButton(processor, feed)),
    h('td', { 'data-label': 'In, 5 min', class: 'number' }, figure(five.in, five.in_bytes)),
    h('td', { 'data-label': 'Out, 5 min', class: 'number' }, figure(five.out, five.out_bytes)),
    h('td', { 'data-label': 'Tasks, 5 min', class: 'number' }, h('span', { class: 'figure' }, count(five.tasks)), h('span', { class: 'muted' }, microseconds(five.task_us))),
    h('td', { 'data-label': 'In all', class: 'number' }, h('span', { class: 'figure' }, count(processor.source ? processor.total.out : processor.total.in)), h('span', { class: 'muted' }, bytes(processor.source ? processor.total.out_bytes : processor.total.in_bytes))),
    h('td', { 'data-label': 'Active', class: 'number' }, `${processor.active}/${processor.concurrency}`),
    h('td', { 'data-label': 'Retrying', class: processor.retrying ? 'number warn' : 'number' }, count(processor.retrying)),
    h('td', { 'data-label': 'Last success', class: 'number' }, processor.last_success_at ? ago(processor.last_success_at, now) : 'never'),
    h('td', { 'data-label': 'Last error', class: 'error-cell' }, errorCell(processor, now)));
}

function reason(processor, now) {
  if (processor.state !== 'paused') return null;
  const error = processor.last_error;
  return h('tr', { key: `${processor.id} reason`, class: 'reason bad' },
    h('td', { colspan: 10 }, h('strong', null, 'Paused: '), error?.message ?? 'no reason given',
      h('div', { class: 'muted' }, `What waits for it stays queued; it tries again by itself${error ? `, last ${duration(now - Date.parse(error.at))} ago` : ''}.`)));
}

const COLUMNS = ['Processor', 'State', 'In, 5 min', 'Out, 5 min', 'Tasks, 5 min', 'In all', 'Active', 'Retrying', 'Last success', 'Last error'];
const NUMBERS = 6;

export function processorTable(processors, now, feed) {
  if (!processors.length) return h('p', { class: 'empty' }, 'No processors.');
  return h('div', { class: 'scroll' }, h('table', { class: 'processors cards' },
    h('thead', null, h('tr', null, COLUMNS.map((name, i) => h('th', { scope: 'col', class: i > 1 && i < 2 + NUMBERS + 1 ? 'number' : '' }, name)))),
    h('tbody', null, processors.map((processor) => [row(processor, now, feed), reason(processor, now)]))));
}
