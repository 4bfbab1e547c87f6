// Elements from data, and changing what is shown into what is wanted without touching what stays: focus, selection,
// scroll and open <details> survive an update. Text only ever becomes a text node.
const SVG = 'http://www.w3.org/2000/svg';

function dispatch(event) {
  event.currentTarget.handlers[event.type]?.(event);
}

function listen(element, handlers) {
  for (const type of Object.keys(handlers)) {
    if (!element.handlers?.[type]) element.addEventListener(type, dispatch);
  }
  element.handlers = { ...handlers };
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (name === 'on') listen(element, value);
    else if (name === 'key') element.key = value;
    else if (name === 'share') element.share = value;
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  if (element.share !== undefined) element.style.width = `${element.share * 100}%`;
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === '') continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

// Properties are attributes but `on` {event: handler}, `key` (which sibling is which) and `share` (a bar's width, 0..1).
export const h = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);
export const s = (tag, properties, ...children) => fill(document.createElementNS(SVG, tag), properties, children);

// What the user changed is the user's.
const THEIRS = { DETAILS: ['open'], INPUT: ['value'], SELECT: ['value'] };

function morphAttributes(from, to) {
  const theirs = THEIRS[from.nodeName] ?? [];
  for (const { name, value } of to.attributes) {
    if (!theirs.includes(name) && name !== 'style' && from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    if (!theirs.includes(name) && name !== 'style' && !to.hasAttribute(name)) from.removeAttribute(name);
  }
  if (to.share !== undefined && to.share !== from.share) from.style.width = `${to.share * 100}%`;
  from.share = to.share;
}

const same = (a, b) => a.nodeName === b.nodeName && a.key === b.key;

function morphChildren(from, to) {
  const wanted = [...to.childNodes];
  const keys = new Set(wanted.map((node) => node.key).filter((key) => key !== undefined));
  const old = new Map();
  for (const node of [...from.childNodes]) {
    if (node.key === undefined) continue;
    if (keys.has(node.key)) old.set(node.key, node);
    else node.remove();
  }
  let at = from.firstChild;
  for (const node of wanted) {
    const found = node.key === undefined ? at : old.get(node.key);
    if (!found || !same(found, node)) from.insertBefore(node, at);
    else {
      if (found === at) at = at.nextSibling;
      else from.insertBefore(found, at);
      morph(found, node);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

export function morph(from, to) {
  if (from.nodeType === Node.TEXT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  morphAttributes(from, to);
  if (to.handlers || from.handlers) listen(from, to.handlers ?? {});
  morphChildren(from, to);
}

// Makes the children of `root` those given.
export function show(root, ...children) {
  morphChildren(root, fill(document.createElement('div'), null, children));
}
