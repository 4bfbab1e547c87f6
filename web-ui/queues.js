// The table of queues.
import { h } from './dom.js';
import { age, bytes, count } from './format.js';
import * as route from './route.js';

export const queueName = (connection) => `${connection.flow}/${connection.id}`;

const share = (value, most) => (most ? Math.min(1, value / most) : 0);

export const fullness = (connection) => Math.max(share(connection.objects, connection.max_objects), share(connection.bytes, connection.max_bytes));

function bar(value, most, format, name) {
  const part = share(value, most);
  const text = most ? `${format(value)} of ${format(most)}` : format(value);
  return h('div', { class: 'limit' },
    h('span', null, text),
    most && h('div', { class: `bar ${part >= 1 ? 'full' : part >= 0.8 ? 'high' : ''}`, role: 'img', 'aria-label': `${name}: ${Math.round(part * 100)} % of the limit` },
      h('div', { class: 'fill', share: part })));
}

function marks(connection) {
  const found = [];
  if (connection.orphaned) found.push(['bad', 'orphaned']);
  if (connection.held) found.push(['warn', `${count(connection.held)} held`]);
  if (connection.back_pressure) found.push(['bad', 'back pressure']);
  if (connection.waiting) found.push(['info', `${count(connection.waiting)} wait for a retry`]);
  if (connection.taken) found.push(['info', `${count(connection.taken)} being worked on`]);
  return found.map(([level, text]) => h('span', { class: `tag ${level}` }, text));
}

function row(connection, now) {
  const level = connection.orphaned || connection.back_pressure ? 'bad' : connection.held ? 'warn' : '';
  return h('tr', { key: connection.id, class: level, 'data-queue': connection.id },
    h('th', { scope: 'row' }, h('a', { href: route.to('queue', connection.flow, connection.id) }, connection.id)),
    h('td', { 'data-label': 'Objects', class: 'objects' }, bar(connection.objects, connection.max_objects, count, 'objects')),
    h('td', { 'data-label': 'Bytes' }, bar(connection.bytes, connection.max_bytes, bytes, 'bytes')),
    h('td', { 'data-label': 'Oldest', class: 'number' }, age(connection.oldest_queued_at, now)),
    h('td', { 'data-label': 'State' }, h('div', { class: 'tags' }, marks(connection))));
}

export function queueTable(connections, now) {
  if (!connections.length) return h('p', { class: 'empty' }, 'No queues: each processor’s relationships end here.');
  return h('div', { class: 'scroll' }, h('table', { class: 'queues cards' },
    h('thead', null, h('tr', null, ['Queue', 'Objects', 'Bytes', 'Oldest', 'State'].map((name) => h('th', { scope: 'col', class: name === 'Oldest' ? 'number' : '' }, name)))),
    h('tbody', null, connections.map((connection) => row(connection, now)))));
}
