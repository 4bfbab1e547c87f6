// Addresses of the pages: all behind the #, so that a link to an event or a search can be kept and sent.
export function to(page, ...parts) {
  return `#/${[page, ...parts].map(encodeURIComponent).join('/')}`;
}

export function toSearch(filters) {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value));
  return query.size ? `#/provenance?${query}` : '#/provenance';
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function current() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [page, ...parts] = path.split('/').map(decoded);
  return { page: page || 'flows', parts, query: Object.fromEntries(new URLSearchParams(query ?? '')) };
}
