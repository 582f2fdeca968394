'use strict';
// The page of one picture. The data is in the element `data`; nothing is fetched, and no text of the data is ever
// taken for markup: it only goes to textContent and to the canvas.
const data = JSON.parse(document.getElementById('data').textContent);
const COLOURS = ['#0072B2', '#E69F00', '#009E73', '#CC79A7', '#56B4E9', '#D55E00', '#F0E442'];
const LINES = {
  election: { stroke: '#111', width: 2.2, dash: [] },
  group: { stroke: '#7a3b00', width: 1.3, dash: [7, 2.5] },
  chat: { stroke: '#0072B2', width: 1.3, dash: [] },
  alive: { stroke: '#777', width: 1, dash: [1.5, 2.5] },
};
const NAMES = 130;
const TOP = 34;
const byId = (id) => document.getElementById(id);
const canvas = byId('canvas');
const holder = byId('view');
const pen = canvas.getContext('2d');
const whole = Math.max(data.until, 1000);
const view = { from: 0, to: whole };
const hidden = new Set();
let chosen = null;
let longest = 0;
for (const a of data.arrows) longest = Math.max(longest, a[4] < 0 ? 0 : a[4] - a[3]);

function shown(micros) {
  const sign = micros < 0 ? '-' : '';
  const m = Math.abs(micros);
  if (m < 1000) return sign + Math.round(m) + ' µs';
  if (m < 1e6) return sign + (m / 1000).toFixed(m < 1e4 ? 2 : 1) + ' ms';
  return sign + (m / 1e6).toFixed(3) + ' s';
}

// A moment: the less is in sight, the more exactly.
function when(time) {
  const digits = view.to - view.from < 2e6 ? 6 : 3;
  return (time / 1e6).toFixed(digits) + ' s';
}

function say(tag, text, parent) {
  const element = document.createElement(tag);
  element.textContent = text;
  parent.append(element);
  return element;
}

// Each coordinator has a colour and a pattern, so that it is known without colour, too.
const leaders = [];
function leaderOf(index) {
  let at = leaders.indexOf(index);
  if (at < 0) at = leaders.push(index) - 1;
  return at;
}
for (const node of data.nodes) for (const reign of node.reigns) leaderOf(reign[2]);
const fills = COLOURS.map((colour, number) => {
  const tile = document.createElement('canvas');
  tile.width = tile.height = 8;
  const p = tile.getContext('2d');
  p.globalAlpha = 0.4;
  p.fillStyle = colour;
  p.fillRect(0, 0, 8, 8);
  p.globalAlpha = 0.75;
  p.strokeStyle = '#111';
  p.lineWidth = 1.3;
  const strokes = ['M0 8L8 0', 'M0 2H8M0 6H8', 'M2 2h1M6 6h1', 'M0 0L8 8', 'M2 0V8M6 0V8', 'M0 4H8M4 0V8', ''];
  p.stroke(new Path2D(strokes[number]));
  return pen.createPattern(tile, 'repeat');
});

function lane() {
  const room = (holder.clientHeight - TOP - 10) / Math.max(data.nodes.length, 1);
  return Math.max(26, Math.min(90, room));
}
const xOf = (time) => NAMES + (time - view.from) / (view.to - view.from) * (canvas.clientWidth - NAMES - 10);
const yOf = (node) => TOP + lane() * (node + 0.5);
const timeOf = (x) => view.from + (x - NAMES) / (canvas.clientWidth - NAMES - 10) * (view.to - view.from);

function draw() {
  const ratio = window.devicePixelRatio || 1;
  const width = holder.clientWidth;
  const height = Math.max(holder.clientHeight - 4, TOP + lane() * data.nodes.length + 10);
  canvas.style.width = width + 'px';
  canvas.style.height = height + 'px';
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, width, height);
  pen.save();
  pen.beginPath();
  pen.rect(NAMES, 0, width - NAMES, height);
  pen.clip();
  drawBallots(height);
  drawTimes(width, height);
  data.nodes.forEach(drawLife);
  drawArrows();
  drawMarks();
  pen.restore();
  drawNames();
  byId('span').textContent = when(view.from) + ' to ' + when(view.to);
}

function drawBallots(height) {
  for (const ballot of data.ballots) {
    const from = xOf(ballot.from) - 3, to = Math.max(xOf(ballot.to) + 3, xOf(ballot.from) + 3);
    if (to < NAMES || from > canvas.clientWidth) continue;
    pen.fillStyle = '#f1f1e6';
    pen.fillRect(from, TOP - 12, to - from, height - TOP);
    pen.strokeStyle = '#777';
    pen.setLineDash([2, 3]);
    pen.lineWidth = 1;
    pen.strokeRect(from, TOP - 12, to - from, height - TOP);
    pen.setLineDash([]);
    pen.fillStyle = '#111';
    pen.font = '11px system-ui, sans-serif';
    if (to - from > 40) pen.fillText('election: ' + ballot.total + ' messages; textbook Bully ' + ballot.textbook, from + 4, TOP + 1);
  }
}

function drawTimes(width, height) {
  const rough = (view.to - view.from) / Math.max((width - NAMES) / 110, 1);
  const power = Math.pow(10, Math.floor(Math.log10(Math.max(rough, 1))));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) || power * 10;
  pen.font = '11px system-ui, sans-serif';
  pen.lineWidth = 1;
  for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
    const x = xOf(time);
    pen.strokeStyle = '#ddd';
    pen.beginPath();
    pen.moveTo(x, TOP - 14);
    pen.lineTo(x, height);
    pen.stroke();
    pen.fillStyle = '#333';
    pen.fillText(when(time), x + 3, 13);
  }
}

function drawLife(node, index) {
  const y = yOf(index);
  const from = Math.max(xOf(node.from), NAMES - 2), to = Math.min(xOf(node.to), canvas.clientWidth + 2);
  if (to < NAMES || from > canvas.clientWidth) return;
  pen.strokeStyle = '#555';
  pen.lineWidth = 1.2;
  pen.beginPath();
  pen.moveTo(from, y);
  pen.lineTo(to, y);
  pen.stroke();
  for (const [start, end, leader] of node.reigns) {
    const left = Math.max(xOf(start), NAMES - 2), right = Math.min(xOf(end), canvas.clientWidth + 2);
    if (right < NAMES || left > canvas.clientWidth) continue;
    const high = leader === index ? 16 : 9;
    pen.fillStyle = fills[leaderOf(leader) % fills.length];
    pen.fillRect(left, y - high / 2, Math.max(right - left, 1), high);
    pen.strokeStyle = '#111';
    pen.lineWidth = leader === index ? 1.6 : 0.6;
    pen.strokeRect(left, y - high / 2, Math.max(right - left, 1), high);
  }
  for (const [start, end] of node.frozen) {
    const left = xOf(start), right = xOf(end);
    pen.fillStyle = '#fff';
    pen.fillRect(left, y - 10, right - left, 20);
    pen.setLineDash([3, 2]);
    pen.strokeRect(left, y - 10, right - left, 20);
    pen.setLineDash([]);
    pen.fillStyle = '#111';
    if (right - left > 70) pen.fillText('not running', Math.max(left, NAMES) + 4, y + 4);
  }
  for (const [start, end, peer] of node.cuts) {
    pen.strokeStyle = '#111';
    pen.lineWidth = 1.6;
    pen.setLineDash([1, 3]);
    const beside = peer < index ? -13 : 13;
    pen.beginPath();
    pen.moveTo(xOf(start), y + beside);
    pen.lineTo(xOf(end), y + beside);
    pen.stroke();
    pen.setLineDash([]);
  }
  if (node.end === 'died') {
    const x = xOf(node.to);
    pen.lineWidth = 3;
    pen.strokeStyle = '#111';
    pen.stroke(new Path2D('M' + (x - 7) + ' ' + (y - 7) + 'l14 14m0 -14l-14 14'));
  }
}

// The arrows in sight, as their numbers.
function* inSight() {
  let low = 0, high = data.arrows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (data.arrows[middle][3] < view.from - longest) low = middle + 1; else high = middle;
  }
  for (let i = low; i < data.arrows.length && data.arrows[i][3] <= view.to; i++) {
    if (!hidden.has(data.arrows[i][2])) yield i;
  }
}

function endsOf(arrow) {
  const lost = arrow[4] < 0;
  const x1 = xOf(arrow[3]), y1 = yOf(arrow[0]);
  const y2 = lost ? y1 + (yOf(arrow[1]) - y1) * 0.7 : yOf(arrow[1]);
  return [x1, y1, lost ? x1 + 8 : xOf(arrow[4]), y2, lost];
}

function drawArrows() {
  const seen = [...inSight()];
  const named = seen.length < 400;
  taken.clear();
  pen.font = '10px system-ui, sans-serif';
  for (const i of seen) {
    const arrow = data.arrows[i];
    const line = LINES[data.types[arrow[2]].kind];
    const [x1, y1, x2, y2, lost] = endsOf(arrow);
    pen.strokeStyle = pen.fillStyle = line.stroke;
    pen.lineWidth = i === chosen ? line.width + 2.5 : line.width;
    pen.setLineDash(line.dash);
    pen.beginPath();
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
    pen.stroke();
    pen.setLineDash([]);
    if (lost) {
      pen.lineWidth = 1.6;
      pen.stroke(new Path2D('M' + (x2 - 4) + ' ' + (y2 - 4) + 'l8 8m0 -8l-8 8'));
    } else {
      tip(x1, y1, x2, y2);
    }
    if (named && Math.hypot(x2 - x1, y2 - y1) > 30) label(data.types[arrow[2]].name, (x1 + x2) / 2, (y1 + y2) / 2);
  }
}

function tip(x1, y1, x2, y2) {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const wing = (turn) => [x2 - 8 * Math.cos(angle + turn), y2 - 8 * Math.sin(angle + turn)];
  pen.beginPath();
  pen.moveTo(x2, y2);
  pen.lineTo(...wing(0.42));
  pen.lineTo(...wing(-0.42));
  pen.fill();
}

// Where words stand already; words that would stand on others are left out until there is room.
const taken = new Set();

function label(text, x, y) {
  const row = Math.floor(y / 6);
  const cells = [];
  for (let cell = Math.floor(x / 8); cell <= (x + pen.measureText(text).width + 6) / 8; cell++) cells.push(cell + ':' + row, cell + ':' + (row + 1));
  if (cells.some((cell) => taken.has(cell))) return;
  cells.forEach((cell) => taken.add(cell));
  pen.lineWidth = 3;
  pen.strokeStyle = '#fff';
  pen.strokeText(text, x + 4, y + 3);
  pen.fillText(text, x + 4, y + 3);
}

function drawMarks() {
  pen.font = '10px system-ui, sans-serif';
  data.nodes.forEach((node, index) => {
    for (const [time, words] of node.marks) {
      if (time < view.from || time > view.to) continue;
      const x = xOf(time), y = yOf(index);
      pen.fillStyle = '#fff';
      pen.strokeStyle = '#111';
      pen.lineWidth = 1.2;
      pen.beginPath();
      pen.arc(x, y, 3, 0, 7);
      pen.fill();
      pen.stroke();
      if (view.to - view.from < 2e6) {
        pen.fillStyle = '#111';
        label(words, x, y - 12);
      }
    }
  });
}

function drawNames() {
  pen.font = '600 12px system-ui, sans-serif';
  pen.fillStyle = '#111';
  const short = (name) => name.length > 17 ? name.slice(0, 16) + '…' : name;
  data.nodes.forEach((node, index) => pen.fillText(short(node.name), 8, yOf(index) + 4, NAMES - 14));
}

function zoom(factor, about) {
  const span = Math.min(Math.max((view.to - view.from) * factor, 20), whole * 1.2);
  const share = (about - view.from) / (view.to - view.from);
  show(about - share * span, about + (1 - share) * span);
}

function show(from, to) {
  view.from = from;
  view.to = Math.max(to, from + 20);
  draw();
}

function move(share) {
  const step = (view.to - view.from) * share;
  show(view.from + step, view.to + step);
}

// What is at this place: an arrow, a mark or a band.
function find(x, y) {
  let best = null, near = 6;
  for (const i of inSight()) {
    const [x1, y1, x2, y2] = endsOf(data.arrows[i]);
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    const share = Math.max(0, Math.min(1, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / (length * length)));
    const away = Math.hypot(x - x1 - share * (x2 - x1), y - y1 - share * (y2 - y1));
    if (away < near) { near = away; best = i; }
  }
  return best;
}

function tell(text) {
  byId('chosen').textContent = text;
}

function choose(x, y) {
  chosen = find(x, y);
  if (chosen !== null) {
    const [from, to, type, sent, got, said, why] = data.arrows[chosen];
    const took = got < 0 ? 'it never came in, as far as the traces tell' : 'came in ' + shown(got - sent) + ' later';
    tell(data.types[type].name + '\n' + data.nodes[from].name + ' → ' + data.nodes[to].name + '\nsent at +' + when(sent) + ', ' + took +
      (data.words[said] ? '\nit says: ' + data.words[said] : '') + (data.words[why] ? '\nwhy: ' + data.words[why] : ''));
  } else {
    tell(tellBand(x, y));
  }
  draw();
}

function tellBand(x, y) {
  const time = timeOf(x);
  const index = Math.round((y - TOP) / lane() - 0.5);
  const node = data.nodes[index];
  if (!node || Math.abs(y - yOf(index)) > 14) return 'Nothing is here. Click on an arrow, a mark or a band.';
  const close = node.marks.filter((mark) => Math.abs(xOf(mark[0]) - x) < 5).map((mark) => '+' + when(mark[0]) + ': ' + mark[1]);
  const reign = node.reigns.find((r) => r[0] <= time && time <= r[1]);
  const standing = node.standings.filter((s) => s[0] <= time && time <= s[1]).pop();
  const words = [node.name + ' (key ' + node.key + ') at +' + when(time)];
  if (standing) words.push('stands as ' + standing[2] + ' since +' + when(standing[0]) + ': ' + standing[3]);
  words.push(reign ? 'holds ' + (data.nodes[reign[2]] || { name: reign[3] }).name + ' for coordinator since +' + when(reign[0]) : 'has no coordinator');
  if (node.frozen.some((s) => s[0] <= time && time <= s[1])) words.push('does not run');
  if (time > node.to) words.push(node.end === 'died' ? 'its process has ended' : 'it has left');
  return words.concat(close).join('\n');
}

function list() {
  for (const it of data.story) {
    const button = say('button', '+' + shown(it.from) + ' ' + it.words, say('li', '', byId('story')));
    button.addEventListener('click', () => {
      const margin = Math.max((it.to - it.from) * 0.4, 1500);
      show(it.from - margin, it.to + margin);
    });
  }
  for (const rule of data.rules) {
    const item = say('li', rule.words, byId('rules'));
    item.className = rule.broken.length ? 'broken' : 'kept';
    rule.broken.forEach((words) => say('div', words, item));
  }
  for (const note of data.notes) say('li', note, byId('notes'));
  data.types.forEach((type, number) => {
    const label = say('label', '', byId('types'));
    const box = document.createElement('input');
    box.type = 'checkbox';
    box.checked = !type.quiet;
    if (type.quiet) hidden.add(number);
    box.addEventListener('change', () => {
      if (box.checked) hidden.delete(number); else hidden.add(number);
      draw();
    });
    label.append(box, ' ' + type.name);
  });
}

let drag = null;
canvas.addEventListener('wheel', (event) => {
  event.preventDefault();
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) move((event.deltaX || event.deltaY) / 1000);
  else zoom(Math.pow(1.0018, event.deltaY), timeOf(event.offsetX));
}, { passive: false });
canvas.addEventListener('pointerdown', (event) => {
  drag = { x: event.offsetX, from: view.from, to: view.to, moved: false };
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener('pointermove', (event) => {
  if (!drag) return;
  const by = (event.offsetX - drag.x) / (canvas.clientWidth - NAMES - 10) * (drag.to - drag.from);
  drag.moved = drag.moved || Math.abs(event.offsetX - drag.x) > 3;
  if (drag.moved) show(drag.from - by, drag.to - by);
});
canvas.addEventListener('pointerup', (event) => {
  if (drag && !drag.moved) choose(event.offsetX, event.offsetY);
  drag = null;
});
const middle = () => (view.from + view.to) / 2;
byId('in').addEventListener('click', () => zoom(0.5, middle()));
byId('out').addEventListener('click', () => zoom(2, middle()));
byId('left').addEventListener('click', () => move(-0.3));
byId('right').addEventListener('click', () => move(0.3));
byId('all').addEventListener('click', () => show(0, whole));
window.addEventListener('keydown', (event) => {
  const keys = { '+': () => zoom(0.5, middle()), '-': () => zoom(2, middle()), ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2), Home: () => show(0, whole) };
  if (keys[event.key] && event.target === document.body) keys[event.key]();
});
window.addEventListener('resize', draw);
list();
draw();
