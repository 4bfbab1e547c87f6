// A token becomes a cookie that no script can read; it never stays in the address, in history or in storage.
import * as api from './api.js';
import { h } from './dom.js';

// The link's token, taken out of the address; null: there is none.
export function takeToken() {
  const found = /^#token=([^&]+)/.exec(location.hash);
  if (!found) return null;
  history.replaceState(null, '', `${location.pathname}${location.search}`);
  return decodeURIComponent(found[1]);
}

const WAYS = [
  ['As a service', 'sudo cat /var/lib/sluice/token'],
  ['Started by hand', 'cat STATE/token', ', where STATE is the folder given by ', '--state'],
  ['In the demo', './demo', ' prints a link that opens this page'],
];

export function signIn(why, done) {
  const problem = h('p', { class: 'problem', role: 'alert', hidden: !why }, why ?? '');
  const input = h('input', { type: 'password', id: 'token', autocomplete: 'off', required: true, spellcheck: 'false' });
  const submit = async (event) => {
    event.preventDefault();
    try {
      await api.login(input.value.trim());
      done();
    } catch (refused) {
      problem.hidden = false;
      problem.textContent = refused.status === 401 ? 'That is not the token of this daemon.' : refused.message;
      input.select();
    }
  };
  return h('section', { class: 'page sign-in', key: 'sign-in' },
    h('h1', { tabindex: '-1' }, 'This dashboard needs the daemon’s token'),
    h('p', null, 'The daemon wrote it at its first start to a file that only its own user can read. On the daemon’s machine:'),
    h('ul', null, WAYS.map(([where, command, ...rest]) => h('li', null, `${where}: `, h('code', null, command), rest.map((part, i) => (i % 2 ? h('code', null, part) : part))))),
    h('form', { on: { submit } },
      h('label', { for: 'token' }, 'Token'), input,
      h('button', { type: 'submit', class: 'primary' }, 'Open')),
    problem,
    h('p', { class: 'muted' }, 'Or open this address with the token behind it: ', h('code', null, `${location.origin}/#token=TOKEN`),
      '. The part behind # is never sent; the page exchanges it for a cookie and removes it.'));
}
