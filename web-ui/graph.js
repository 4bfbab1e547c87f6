// Draws a laid-out graph as SVG; who uses it says how a node looks.
import { s } from './dom.js';
import { lay } from './layers.js';

const MARGIN = 10;
const SHRINKS = 1600; // a wider one scrolls, so that its words stay readable
const layouts = new Map(); // signature -> layout
const LAYOUTS = 50;

function layoutOf(graph) {
  const signature = JSON.stringify([graph.nodes.map((node) => [node.id, node.width, node.height]), graph.edges.map((edge) => [edge.id, edge.from, edge.to])]);
  const known = layouts.get(signature);
  if (known) return known;
  if (layouts.size === LAYOUTS) layouts.delete(layouts.keys().next().value);
  const made = lay(graph);
  layouts.set(signature, made);
  return made;
}

// What fits, by the average width of a letter; the whole is the tooltip's.
export function fitting(text, width, letter = 6.7) {
  const most = Math.max(3, Math.floor(width / letter));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

// {nodes: [{id, width, height, draw() -> [SVG nodes]}], edges: [{id, from, to, class, arrow}], label}
export function graph(picture) {
  const layout = layoutOf(picture);
  const width = layout.width + 2 * MARGIN;
  const height = layout.height + 2 * MARGIN;
  const edges = picture.edges.map((edge) => s('path', { key: edge.id, class: `edge ${edge.class ?? ''}`, d: layout.paths.get(edge.id), 'marker-end': edge.arrow ? 'url(#arrow)' : null }));
  const nodes = picture.nodes.map((node) => {
    const { x, y } = layout.places.get(node.id);
    return s('g', { key: node.id, transform: `translate(${x} ${y})` }, node.draw());
  });
  return s('svg', { class: width > SHRINKS ? 'graph wide' : 'graph', viewBox: `${-MARGIN} ${-MARGIN} ${width} ${height}`, width, height, role: 'group', 'aria-label': picture.label },
    s('g', { class: 'edges', 'aria-hidden': 'true' }, edges), s('g', { class: 'nodes' }, nodes));
}
