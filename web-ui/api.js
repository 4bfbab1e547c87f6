// Asking the daemon. What it refuses becomes a Problem with the daemon's own words.
export class Problem extends Error {
  constructor(status, message) {
    super(message);
    this.status = status; // 0: nobody answered
  }
}

async function problemOf(reply) {
  const body = await reply.json().catch(() => ({}));
  return new Problem(reply.status, body.detail ?? body.title ?? `the daemon answered ${reply.status}`);
}

async function ask(method, path, { query, headers, timeout = 30000 } = {}) {
  const search = new URLSearchParams(Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== ''));
  const url = search.size ? `${path}?${search}` : path;
  let reply;
  try {
    reply = await fetch(url, { method, headers, credentials: 'same-origin', signal: AbortSignal.timeout(timeout) });
  } catch (error) {
    throw new Problem(0, error.name === 'TimeoutError' ? `no answer within ${timeout / 1000} s` : 'the daemon cannot be reached');
  }
  if (!reply.ok) throw await problemOf(reply);
  return reply.status === 204 ? null : reply.json();
}

const path = (...parts) => `/api/v1/${parts.map(encodeURIComponent).join('/')}`;

export const login = (token) => ask('POST', path('session'), { headers: { Authorization: `Bearer ${token}` } });
export const logout = () => ask('DELETE', path('session'));
export const status = () => ask('GET', path('status'), { timeout: 5000 });
export const bulletins = (after) => ask('GET', path('bulletins'), { query: { after, limit: 1000 }, timeout: 5000 });
export const setProcessor = (flow, name, verb) => ask('POST', path('flows', flow, 'processors', name, verb));
export const queue = (flow, id, limit) => ask('GET', path('flows', flow, 'connections', id, 'flowfiles'), { query: { limit } });
export const replay = (flow, id, flowfile) => ask('POST', path('flows', flow, 'connections', id, 'replay'), { query: { flowfile } });
export const empty = (flow, id, query) => ask('DELETE', path('flows', flow, 'connections', id, 'flowfiles'), { query });
export const provenance = (query) => ask('GET', path('provenance'), { query });
export const event = (seq) => ask('GET', path('provenance', seq));
export const lineage = (flowfile) => ask('GET', path('lineage', flowfile));
export const contentAddress = (seq, side) => `${path('provenance', seq, 'content')}?side=${side}`;
