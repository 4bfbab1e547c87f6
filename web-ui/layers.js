// A layered layout, left to right, of any small directed graph. It depends on the graph's structure and the order of its
// nodes alone, never on figures, so a picture stays where it is while its numbers change.
//
// lay({nodes: [{id, width, height}], edges: [{id, from, to}]}) gives {width, height, places: Map(id -> {x, y}),
// paths: Map(edge id -> SVG path)}.
const GAP_X = 34;
const GAP_Y = 16;
const SWEEPS = 8;

// Edges that close a circle, found depth first: they count backwards when layers are given.
function backwards(nodes, out) {
  const state = new Map();
  const found = new Set();
  const visit = (id) => {
    state.set(id, 'open');
    for (const edge of out.get(id)) {
      if (state.get(edge.to) === 'open') found.add(edge);
      else if (!state.has(edge.to)) visit(edge.to);
    }
    state.set(id, 'done');
  };
  for (const node of nodes) if (!state.has(node.id)) visit(node.id);
  return found;
}

function ranks(nodes, edges) {
  const rank = new Map(nodes.map((node) => [node.id, 0]));
  for (let round = 0, moved = true; moved && round < nodes.length; round++) {
    moved = false;
    for (const { from, to } of edges) {
      if (rank.get(to) > rank.get(from)) continue;
      rank.set(to, rank.get(from) + 1);
      moved = true;
    }
  }
  return rank;
}

// Edges over more than one layer pass through points of their own, so that they go around boxes.
function chain(edge, rank, boxes) {
  const links = [];
  let last = edge.from;
  for (let at = rank.get(edge.from) + 1; at < rank.get(edge.to); at++) {
    const id = `${edge.id}\u0000${at}`;
    boxes.set(id, { id, width: 0, height: 6, rank: at, point: true });
    links.push([last, id]);
    last = id;
  }
  links.push([last, edge.to]);
  return links;
}

function layersOf(boxes) {
  const layers = [];
  for (const box of boxes.values()) (layers[box.rank] ??= []).push(box);
  return Array.from(layers, (layer) => layer ?? []);
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// Fewer crossings: each layer sorted by where its neighbours are, forwards and backwards.
function order(layers, before, after) {
  const number = () => layers.forEach((layer) => layer.forEach((box, i) => { box.order = i; }));
  number();
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const [list, neighbours] = sweep % 2 ? [[...layers].reverse(), after] : [layers, before];
    for (const layer of list) {
      const weight = new Map(layer.map((box) => {
        const near = neighbours.get(box.id);
        return [box, near.length ? mean(near.map((other) => other.order)) : box.order];
      }));
      layer.sort((a, b) => weight.get(a) - weight.get(b) || a.order - b.order);
      layer.forEach((box, i) => { box.order = i; });
    }
  }
}

// Centres wanted by the neighbours, kept apart: blocks that would overlap move together.
function settle(layer, neighbours) {
  const blocks = [];
  for (const box of layer) {
    const near = neighbours(box);
    const wanted = near.length ? mean(near.map((other) => other.centre)) : box.centre;
    let block = { boxes: [box], offsets: [0], wanted: [wanted], span: 0 };
    blocks.push(block);
    while (blocks.length > 1) {
      const previous = blocks[blocks.length - 2];
      block = blocks[blocks.length - 1];
      const gap = (previous.boxes.at(-1).height + block.boxes[0].height) / 2 + GAP_Y;
      if (centreOf(previous) + previous.offsets.at(-1) + gap <= centreOf(block)) break;
      const shift = previous.offsets.at(-1) + gap;
      previous.boxes.push(...block.boxes);
      previous.offsets.push(...block.offsets.map((offset) => offset + shift));
      previous.wanted.push(...block.wanted);
      blocks.pop();
    }
  }
  for (const block of blocks) {
    const first = centreOf(block);
    block.boxes.forEach((box, i) => { box.centre = first + block.offsets[i]; });
  }
}

const centreOf = (block) => mean(block.wanted.map((wanted, i) => wanted - block.offsets[i]));

function place(layers, before, after) {
  let x = 0;
  for (const layer of layers) {
    const width = Math.max(...layer.map((box) => box.width));
    let y = 0;
    for (const box of layer) {
      box.x = x + (width - box.width) / 2;
      box.centre = y + box.height / 2;
      y += box.height + GAP_Y;
    }
    x += width + GAP_X;
  }
  const around = (box) => [...before.get(box.id), ...after.get(box.id)];
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const layer of layers) settle(layer, (box) => before.get(box.id));
    for (const layer of [...layers].reverse()) settle(layer, (box) => after.get(box.id));
  }
  for (const layer of layers) settle(layer, around);
  return x - GAP_X;
}

function curve(points) {
  const [first, ...rest] = points;
  let path = `M${first.x} ${first.y}`;
  let last = first;
  for (const point of rest) {
    const half = (last.x + point.x) / 2;
    path += `C${half} ${last.y} ${half} ${point.y} ${point.x} ${point.y}`;
    last = point;
  }
  return path;
}

const right = (box) => ({ x: box.x + box.width, y: box.centre });
const left = (box) => ({ x: box.x, y: box.centre });

// A way back runs beneath everything.
function detour(from, to, floor) {
  const [a, b] = [right(from), left(to)];
  return `M${a.x} ${a.y}C${a.x + 24} ${a.y} ${a.x + 24} ${floor} ${a.x} ${floor}L${b.x} ${floor}C${b.x - 24} ${floor} ${b.x - 24} ${b.y} ${b.x} ${b.y}`;
}

function drawn(edges, back, chains, boxes, height) {
  const paths = new Map();
  let floor = height;
  for (const edge of edges) {
    if (back.has(edge)) paths.set(edge.id, detour(boxes.get(edge.from), boxes.get(edge.to), floor += 12));
    else {
      const links = chains.get(edge.id);
      const points = links.map(([from]) => right(boxes.get(from)));
      paths.set(edge.id, curve([...points, left(boxes.get(edge.to))]));
    }
  }
  return { paths, floor };
}

export function lay({ nodes, edges }) {
  if (!nodes.length) return { width: 0, height: 0, places: new Map(), paths: new Map() };
  const out = new Map(nodes.map((node) => [node.id, []]));
  for (const edge of edges) out.get(edge.from).push(edge);
  const back = backwards(nodes, out);
  const forward = edges.filter((edge) => !back.has(edge));
  const rank = ranks(nodes, forward);
  const boxes = new Map(nodes.map((node) => [node.id, { ...node, rank: rank.get(node.id) }]));
  const chains = new Map(forward.map((edge) => [edge.id, chain(edge, rank, boxes)]));
  const before = new Map([...boxes.keys()].map((id) => [id, []]));
  const after = new Map([...boxes.keys()].map((id) => [id, []]));
  for (const [from, to] of [...chains.values()].flat()) {
    before.get(to).push(boxes.get(from));
    after.get(from).push(boxes.get(to));
  }
  const layers = layersOf(boxes);
  order(layers, before, after);
  const width = place(layers, before, after);
  const top = Math.min(...[...boxes.values()].map((box) => box.centre - box.height / 2));
  for (const box of boxes.values()) box.centre -= top;
  const height = Math.max(...[...boxes.values()].map((box) => box.centre + box.height / 2));
  const { paths, floor } = drawn(edges, back, chains, boxes, height);
  const places = new Map(nodes.map(({ id }) => [id, { x: boxes.get(id).x, y: boxes.get(id).centre - boxes.get(id).height / 2 }]));
  return { width, height: floor, places, paths };
}
