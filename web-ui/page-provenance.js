// The search of provenance: its filters are in the address, its pages follow one another by the daemon's cursor.
import * as api from './api.js';
import { h } from './dom.js';
import { bytes, clock, count, time } from './format.js';
import * as route from './route.js';

const TYPES = ['CREATE', 'RECEIVE', 'FETCH', 'SEND', 'ROUTE', 'FORK', 'JOIN', 'CLONE', 'CONTENT_MODIFIED', 'ATTRIBUTES_MODIFIED', 'DROP', 'EXPIRE', 'REPLAY', 'DOWNLOAD', 'ADDINFO', 'REMOTE_INVOCATION', 'TRANSFER'];
const PAGE = 100;

// The form speaks local time, the API UTC.
const toUtc = (local) => (local ? new Date(local).toISOString() : '');

function toLocal(utc) {
  const date = new Date(utc);
  if (!utc || Number.isNaN(date.getTime())) return '';
  return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}

const field = (name, label, input) => h('div', { class: 'field' }, h('label', { for: `f-${name}` }, label), input);
const text = (name, label, value, properties) => field(name, label, h('input', { id: `f-${name}`, name, type: 'text', value: value ?? '', autocomplete: 'off', spellcheck: 'false', ...properties }));
const choice = (name, label, value, options) => field(name, label, h('select', { id: `f-${name}`, name },
  h('option', { value: '' }, 'any'), options.map((option) => h('option', { value: option, selected: option === value }, option))));
const moment = (name, label, value) => text(name, label, toLocal(value), { type: 'datetime-local', step: 1 });

function filtersOf(form) {
  const data = Object.fromEntries(new FormData(form));
  const [name, ...value] = (data.attribute ?? '').split('=');
  const filters = { ...data, from: toUtc(data.from), to: toUtc(data.to) };
  delete filters.attribute;
  if (name.trim() && value.length) filters[`attr.${name.trim()}`] = value.join('=');
  for (const key of Object.keys(filters)) filters[key] = filters[key].trim();
  return filters;
}

function attributeOf(query) {
  const key = Object.keys(query).find((name) => name.startsWith('attr.'));
  return key ? `${key.slice(5)}=${query[key]}` : '';
}

function form(query, status) {
  const submit = (event) => {
    event.preventDefault();
    const address = route.toSearch(filtersOf(event.currentTarget));
    if (address === location.hash) window.dispatchEvent(new HashChangeEvent('hashchange'));
    else location.hash = address;
  };
  const components = [...new Set(status.processors.map((processor) => processor.name))];
  return h('form', { class: 'search', id: 'search', on: { submit } },
    text('filename', 'File name', query.filename), choice('type', 'Type', query.type, TYPES),
    text('component', 'Component', query.component, { list: 'components' }), h('datalist', { id: 'components' }, components.map((name) => h('option', { value: name }))),
    choice('flow', 'Flow', query.flow, [...new Set([...status.flows.map((flow) => flow.name), query.flow].filter(Boolean))]),
    text('flowfile', 'FlowFile', query.flowfile, { placeholder: 'UUID' }), text('sha256', 'SHA-256', query.sha256),
    text('attribute', 'Attribute', attributeOf(query), { placeholder: 'name=value' }), moment('from', 'From', query.from), moment('to', 'To', query.to),
    h('div', { class: 'field actions' }, h('button', { type: 'submit', class: 'primary' }, 'Search'), h('a', { href: '#/provenance', class: 'button' }, 'Clear')));
}

function row(event) {
  const name = event.attributes?.filename;
  return h('tr', { key: event.seq, 'data-seq': event.seq },
    h('td', { 'data-label': 'Time', class: 'when' }, time(event.time), h('span', { class: 'muted' }, event.time.slice(19, 23))),
    h('th', { scope: 'row' }, h('a', { href: route.to('event', event.seq) }, event.type)),
    h('td', { 'data-label': 'Component' }, h('span', { class: 'muted' }, event.flow && `${event.flow}/`), event.component ?? '–'),
    h('td', { 'data-label': 'Relationship' }, event.relationship ?? '–'),
    h('td', { 'data-label': 'File name', class: 'wide' }, name ? `${event.attributes.path ?? ''}${name}` : '–'),
    h('td', { 'data-label': 'Size', class: 'number' }, event.content ? bytes(event.content.size) : '–'),
    h('td', { 'data-label': 'FlowFile' }, event.flowfile && h('a', { class: 'mono', title: event.flowfile, href: route.toSearch({ flowfile: event.flowfile }) }, event.flowfile.slice(-12))));
}

const COLUMNS = ['Time', 'Event', 'Component', 'Relationship', 'File name', 'Size', 'FlowFile'];

class Search {
  #events = [];
  #cursor = null;
  #problem = null;
  #busy = false;
  #gone = false;

  constructor(query, redraw) {
    this.query = query;
    this.redraw = redraw;
    this.#load();
  }

  leave() {
    this.#gone = true;
  }

  async #load() {
    this.#busy = true;
    try {
      const page = await api.provenance({ ...this.query, limit: PAGE, cursor: this.#cursor ?? undefined });
      this.#events.push(...page.events);
      this.#cursor = page.cursor ?? null;
      this.#problem = null;
    } catch (problem) {
      this.#problem = problem;
    }
    this.#busy = false;
    if (!this.#gone) this.redraw();
  }

  #rest() {
    if (this.#busy) return h('p', { class: 'muted', 'aria-busy': 'true' }, 'Searching…');
    if (this.#problem) return h('p', { class: 'problem' }, this.#problem.message);
    if (!this.#cursor) return h('p', { class: 'muted' }, this.#events.length ? `${count(this.#events.length)}; that is all.` : '');
    const last = this.#events.at(-1);
    return h('p', null, h('button', { type: 'button', id: 'more', on: { click: () => { this.#load(); this.redraw(); } } }, 'Older'), ' ',
      h('span', { class: 'muted' }, last ? `${count(this.#events.length)} shown, back to ${clock(last.time)}` : 'Nothing found yet; a search pauses after two seconds.'));
  }

  #none() {
    const any = Object.keys(this.query).length > 0;
    return h('p', { class: 'empty' }, any ? 'No event fits. A file name has to be whole and exact; clear a filter, or widen the time.' : 'Nothing has happened yet: events appear when a flow has taken its first file.');
  }

  draw() {
    const nothing = !this.#events.length && !this.#busy && !this.#cursor && !this.#problem;
    return [nothing && this.#none(), this.#events.length > 0 && h('div', { class: 'scroll' }, h('table', { class: 'events cards', id: 'events' },
      h('thead', null, h('tr', null, COLUMNS.map((name) => h('th', { scope: 'col', class: name === 'Size' ? 'number' : '' }, name)))), h('tbody', null, this.#events.map(row)))), this.#rest()];
  }
}

export function provenancePage({ feed, query, redraw }) {
  const search = new Search(query, redraw);
  return {
    title: 'Provenance',
    leave: () => search.leave(),
    draw: () => [h('h1', { tabindex: '-1' }, 'Provenance'), h('p', { class: 'muted' }, 'What happened to every file, newest first.'), form(query, feed.status), search.draw()],
  };
}
