// A word on what was done, and the question before what cannot be taken back.
import { h } from './dom.js';

const SHOWN = 8000;
let timer;

export function said(text, bad = false) {
  const place = document.getElementById('said');
  clearTimeout(timer);
  place.className = bad ? 'bad' : 'good';
  place.textContent = text;
  timer = setTimeout(() => {
    place.textContent = '';
  }, SHOWN);
}

// Resolves to whether it was confirmed; Escape and Cancel are no.
export function confirmed(question, detail, verb) {
  return new Promise((resolve) => {
    const close = (answer) => () => dialog.close(answer);
    const no = h('button', { type: 'button', on: { click: close('no') } }, 'Cancel');
    const yes = h('button', { type: 'button', class: 'danger', on: { click: close('yes') } }, verb);
    const dialog = h('dialog', { 'aria-labelledby': 'question' }, h('h2', { id: 'question' }, question), h('p', null, detail), h('div', { class: 'actions' }, no, yes));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
    no.focus();
  });
}
