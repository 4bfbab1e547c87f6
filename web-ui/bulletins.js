// What the daemon wants read, newest first.
import { h } from './dom.js';
import { count, time } from './format.js';
import * as route from './route.js';

const LEVELS = { error: 'bad', warning: 'warn', info: 'info', debug: 'info' };

function component(name) {
  const [flow, processor] = name.split('/');
  return processor ? h('a', { href: route.to('processor', flow, processor) }, name) : name;
}

export function bulletinList(bulletins, none) {
  if (!bulletins.length) return h('p', { class: 'empty' }, none);
  return h('ol', { class: 'bulletins' }, bulletins.map(({ seq, time: at, level, count: times, component: name, message }) => h('li', { key: seq, class: LEVELS[level] ?? 'info' },
    h('span', { class: `tag ${LEVELS[level] ?? 'info'}` }, level), time(at), h('span', { class: 'component' }, component(name)),
    h('span', { class: 'message' }, message, times > 1 && h('span', { class: 'muted' }, ` (${count(times)} times)`)))));
}

export function bulletinsPage({ feed, redraw }) {
  let worst = 'all';
  const choose = (event) => {
    worst = event.target.value;
    redraw();
  };
  const wanted = (bulletin) => worst === 'all' || bulletin.level === 'error' || (worst === 'warning' && bulletin.level === 'warning');
  return {
    title: 'Bulletins',
    draw() {
      return [h('h1', { tabindex: '-1' }, 'Bulletins'),
        h('p', null, h('label', { for: 'level' }, 'Show '), h('select', { id: 'level', on: { change: choose } },
          h('option', { value: 'all' }, 'all'), h('option', { value: 'warning' }, 'warnings and errors'), h('option', { value: 'error' }, 'errors'))),
        bulletinList(feed.bulletins.filter(wanted), 'None. The daemon says here what an operator should read; it keeps the last 1,000 since its start, older ones are in its log.')];
    },
  };
}
