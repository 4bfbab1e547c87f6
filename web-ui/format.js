// Figures and times as people read them. Sizes are decimal, as in flows: 1 GB = 10^9.
import { h } from './dom.js';

export const count = (number) => number.toLocaleString('en-US');

export const several = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

export function bytes(number) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let at = 0;
  let value = number;
  while (value >= 999.5 && at < units.length - 1) {
    value /= 1000;
    at++;
  }
  return `${at === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1).replace(/\.0$/, '')} ${units[at]}`;
}

export function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

export function microseconds(number) {
  if (number < 1000) return `${number} µs`;
  if (number < 1e6) return `${(number / 1000).toFixed(1)} ms`;
  return number < 6e7 ? `${(number / 1e6).toFixed(2)} s` : duration(number / 1000);
}

const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false };

export function clock(when) {
  const date = new Date(when);
  const today = date.toDateString() === new Date().toDateString();
  return today ? date.toLocaleTimeString('en-GB', CLOCK) : date.toLocaleString('en-GB', { day: 'numeric', month: 'short', ...CLOCK });
}

// Local time; the exact one, in UTC, is its tooltip.
export const time = (text) => h('time', { datetime: text, title: text }, clock(text));

export const ago = (text, now) => h('time', { datetime: text, title: text }, `${duration(now - Date.parse(text))} ago`);

export const age = (text, now) => (text ? h('time', { datetime: text, title: text }, duration(now - Date.parse(text))) : '–');

export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
