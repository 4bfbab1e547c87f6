// Puts it together: the session, the feed, the page that the address names.
import * as api from './api.js';
import { troubles } from './attention.js';
import { bulletinsPage } from './bulletins.js';
import { h, show } from './dom.js';
import { Feed } from './feed.js';
import { count, duration, time, zone } from './format.js';
import { eventPage } from './page-event.js';
import { flowsPage } from './page-flows.js';
import { processorPage } from './page-processor.js';
import { provenancePage } from './page-provenance.js';
import { heldPage, queuePage } from './page-queue.js';
import * as route from './route.js';
import { signIn, takeToken } from './session.js';
import { themeSwitch } from './theme.js';

const PAGES = { flows: flowsPage, processor: processorPage, queue: queuePage, held: heldPage, bulletins: bulletinsPage, provenance: provenancePage, event: eventPage };
const TABS = [['flows', 'Flows'], ['held', 'Held'], ['bulletins', 'Bulletins'], ['provenance', 'Provenance']];
const UNDER = { processor: 'flows', queue: 'flows', event: 'provenance' };

const element = (id) => document.getElementById(id);
let feed = null;
let page = null;
let fresh = false; // the page was not drawn yet

// ---- around the page

function badge(name, { status, bulletins }) {
  if (name === 'held') return status.connections.reduce((sum, connection) => sum + connection.held, 0);
  if (name === 'bulletins') return bulletins.filter((bulletin) => bulletin.level === 'error').length;
  return 0;
}

function drawTabs() {
  const at = UNDER[route.current().page] ?? route.current().page;
  show(element('nav'), TABS.map(([name, title]) => {
    const number = feed?.status ? badge(name, feed) : 0;
    return h('a', { key: name, href: route.to(name), 'aria-current': at === name ? 'page' : null }, title, number > 0 && h('span', { class: 'badge' }, count(number)));
  }));
}

const LINKS = { connecting: 'Connecting…', live: 'Live', polling: 'Polling', lost: 'Connection lost' };

function drawLink() {
  const { kind, since, why } = feed.link;
  element('link').className = `link ${kind}`;
  show(element('link'), h('span', { class: 'dot', 'aria-hidden': 'true' }), LINKS[kind]);
  document.body.classList.toggle('stale', kind === 'lost');
  show(element('lost'), kind === 'lost' && h('p', null, h('strong', null, 'Connection lost'), ' since ', time(new Date(since).toISOString()), `: ${why}. `,
    feed.status ? 'The figures are those of then. ' : '', 'It is tried again every two seconds.'));
}

function drawFoot() {
  const { daemon } = feed.status;
  show(element('foot'), `sluiced ${daemon.version}, ${daemon.state}, up ${duration(feed.now() - Date.parse(daemon.started_at))} since `, time(daemon.started_at), `. Times are local (${zone()}); hover for UTC.`);
}

function drawTitle() {
  const bad = troubles(feed.status).filter((trouble) => trouble.level === 'bad').length;
  document.title = `${feed.link.kind === 'lost' ? '✕ ' : bad ? `(${bad}) ` : ''}${page.title} · sluice`;
}

// ---- the page

function redraw() {
  if (!feed) return;
  if (feed.status) page ??= open();
  if (feed.status) drawTitle();
  if (document.hidden) return;
  drawTabs();
  drawLink();
  if (!feed.status) return;
  drawFoot();
  show(element('main'), h('div', { class: 'page', key: location.hash }, page.draw()));
  if (!fresh) return;
  fresh = false;
  window.scrollTo(0, 0);
  element('main').querySelector('h1')?.focus({ preventScroll: true });
}

function open() {
  const { page: name, parts, query } = route.current();
  return (PAGES[name] ?? flowsPage)({ feed, parts, query, redraw });
}

function navigate() {
  const token = takeToken();
  if (token) {
    enter(token);
    return;
  }
  page?.leave?.();
  page = null;
  fresh = true;
  redraw();
}

// ---- the session

function leave(why) {
  feed?.stop();
  feed = null;
  page?.leave?.();
  page = null;
  document.body.classList.remove('stale');
  element('leave').hidden = true;
  document.title = 'Sign in · sluice';
  for (const id of ['nav', 'link', 'lost', 'foot', 'main']) show(element(id));
  show(element('main'), signIn(why, begin));
  element('token').focus();
}

function begin() {
  feed?.stop();
  page?.leave?.();
  page = null;
  feed = new Feed(redraw, (problem) => leave(problem.status === 403 ? problem.message : null));
  element('leave').hidden = false;
  feed.start();
  redraw();
}

async function enter(token) {
  try {
    await api.login(token);
  } catch (problem) {
    leave(problem.status === 401 ? 'The link’s token is not the token of this daemon: it may be of an earlier state folder.' : problem.message);
    return;
  }
  begin();
}

function seen() {
  feed?.rest(document.hidden);
  redraw();
}

async function end() {
  await api.logout().catch(() => null);
  leave(null);
}

async function start() {
  const token = takeToken();
  themeSwitch(element('theme'));
  element('leave').addEventListener('click', end);
  element('skip').addEventListener('click', () => element('main').focus());
  window.addEventListener('hashchange', navigate);
  document.addEventListener('visibilitychange', seen);
  window.addEventListener('pagehide', () => feed?.stop());
  window.addEventListener('pageshow', (event) => event.persisted && feed?.start());
  setInterval(redraw, 1000); // ages go on
  if (token) await enter(token);
  else begin();
}

start();
