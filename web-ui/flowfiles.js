// What is in a queue: read again whenever the queue changed, with replay and empty for what is held back.
import * as api from './api.js';
import { h } from './dom.js';
import { age, bytes, count, several } from './format.js';
import * as route from './route.js';
import { confirmed, said } from './say.js';

const FIRST = 100;
const MOST = 1000;

function errorOf(attributes) {
  if (!attributes['error.message'] && !attributes['error.class']) return h('span', { class: 'muted' }, 'no error recorded');
  const where = [attributes['error.component'], attributes['error.relationship']].filter(Boolean).join(', ');
  return [h('strong', null, [attributes['error.class'], attributes['error.code']].filter(Boolean).join(', ')), where && h('span', { class: 'muted' }, ` at ${where}`),
    h('div', { class: 'message' }, attributes['error.message'] ?? '')];
}

const attributeList = (attributes) => h('details', null, h('summary', null, several(Object.keys(attributes).length, 'attribute')),
  h('dl', { class: 'facts' }, Object.entries(attributes).map(([name, value]) => [h('dt', null, name), h('dd', null, value)])));

export class Listing {
  #limit = FIRST;
  #signature = '';
  #answer = null;
  #problem = null;
  #loading = false;

  constructor(flow, id, { feed, redraw }) {
    Object.assign(this, { flow, id, feed, redraw });
  }

  // The connection's part of the status tells whether the list is still true.
  #follow(connection) {
    const signature = JSON.stringify([connection.objects, connection.bytes, connection.oldest_queued_at, connection.taken, connection.waiting, this.#limit]);
    if (signature === this.#signature || this.#loading) return;
    this.#signature = signature;
    this.#load();
  }

  async #load() {
    this.#loading = true;
    try {
      this.#answer = await api.queue(this.flow, this.id, this.#limit);
      this.#problem = null;
    } catch (problem) {
      this.#problem = problem;
      this.#signature = '';
    }
    this.#loading = false;
    this.redraw();
  }

  async #do(work, tell) {
    try {
      said(tell(await work()));
    } catch (problem) {
      said(problem.message, true);
    }
    this.#signature = '';
    await this.feed.refresh();
    this.redraw();
  }

  #replay(flowfile) {
    return this.#do(() => api.replay(this.flow, this.id, flowfile), ({ replayed }) => `${several(replayed, 'FlowFile')} given back; the retries are counted anew`);
  }

  async #drop(flowfile, name) {
    const all = flowfile === undefined;
    const question = all ? `Drop ${several(this.#answer.objects, 'FlowFile')} of ${this.id}?` : `Drop ${name}?`;
    const detail = 'They leave the flow without being delivered. What was recorded of them stays in the provenance.';
    const query = all ? { through: this.#answer.seq } : { flowfile };
    if (!(await confirmed(question, detail, all ? 'Drop all' : 'Drop it'))) return;
    await this.#do(() => api.empty(this.flow, this.id, query), ({ dropped }) => `${several(dropped, 'FlowFile')} dropped`);
  }

  #row(item, connection) {
    const name = item.attributes.filename ?? item.flowfile;
    const may = connection.hold || connection.orphaned;
    return h('tr', { key: item.flowfile, 'data-flowfile': item.flowfile },
      h('th', { scope: 'row' }, h('a', { href: route.toSearch({ flowfile: item.flowfile }) }, `${item.attributes.path ?? ''}${name}`), attributeList(item.attributes)),
      h('td', { 'data-label': 'Why', class: 'error-cell' }, connection.hold ? errorOf(item.attributes) : item.state),
      h('td', { 'data-label': 'Size', class: 'number' }, bytes(item.size)),
      h('td', { 'data-label': 'Since', class: 'number' }, age(item.queued_at ?? item.entered_at, this.feed.now())),
      h('td', { 'data-label': 'Retries', class: 'number' }, count(item.retries)),
      may && h('td', { 'data-label': 'Do', class: 'do' },
        connection.hold && h('button', { type: 'button', class: 'small', 'data-do': 'replay', 'aria-label': `Replay ${name}`, on: { click: () => this.#replay(item.flowfile) } }, 'Replay'),
        h('button', { type: 'button', class: 'small', 'data-do': 'drop', 'aria-label': `Drop ${name}`, on: { click: () => this.#drop(item.flowfile, name) } }, 'Drop…')));
  }

  #actions(connection) {
    if (!connection.objects || !(connection.hold || connection.orphaned)) return null;
    return h('div', { class: 'actions' },
      connection.hold && h('button', { type: 'button', class: 'primary', 'data-do': 'replay-all', on: { click: () => this.#replay() } }, `Replay all ${count(connection.objects)}`),
      h('button', { type: 'button', 'data-do': 'empty', on: { click: () => this.#drop() } }, 'Empty…'));
  }

  #more() {
    if (!this.#answer.truncated) return null;
    const shown = this.#answer.flowfiles.length;
    const rest = h('p', { class: 'muted' }, `The first ${count(shown)} of ${count(this.#answer.objects)}. `, this.#limit >= MOST && h('span', null, 'The rest: ', h('code', null, `sluice queue list ${this.id}`)));
    if (this.#limit < MOST) rest.append(h('button', { type: 'button', class: 'small', on: { click: () => { this.#limit = MOST; this.redraw(); } } }, `Show ${count(MOST)}`));
    return rest;
  }

  #table(connection) {
    const may = connection.hold || connection.orphaned;
    const columns = ['FlowFile', connection.hold ? 'Why' : 'State', 'Size', 'Since', 'Retries', may && ''].filter((name) => name !== false);
    return h('div', { class: 'scroll' }, h('table', { class: 'flowfiles cards' },
      h('thead', null, h('tr', null, columns.map((name, i) => h('th', { scope: 'col', class: i > 1 && name ? 'number' : '' }, name || h('span', { class: 'unseen' }, 'Actions'))))),
      h('tbody', null, this.#answer.flowfiles.map((item) => this.#row(item, connection)))));
  }

  draw(connection) {
    this.#follow(connection);
    if (this.#problem) return h('p', { class: 'problem' }, this.#problem.message);
    if (!this.#answer) return h('p', { class: 'muted' }, 'Reading…');
    if (!this.#answer.flowfiles.length) return h('p', { class: 'empty' }, connection.hold ? 'Nothing is held here.' : 'Nothing is queued here.');
    return [this.#actions(connection), this.#table(connection), this.#more()];
  }
}
