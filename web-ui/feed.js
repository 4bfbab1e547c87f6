// What the daemon says, as it says it: server-sent events; where they do not come, the status is asked for.
// A quiet daemon sends nothing, so silence is checked by a question, and only an answer counts as being connected.
import * as api from './api.js';

const PERIOD = 2000;
const SILENCE = 8000; // of an open stream, until it is checked
const RESTING = 15000; // between two questions of a page that nobody sees
const REOPEN = 10000; // between two tries to open a stream
const KEPT = 1000; // bulletins

export class Feed {
  status = null;
  bulletins = [];
  link = { kind: 'connecting' }; // connecting, live, polling, lost {since, why}
  #told = 0; // the number after which bulletins are new
  #heard = Date.now();
  #skew = 0;
  #source = null;
  #opened = 0;
  #asking = false;
  #resting = false;
  #timer = null;

  constructor(changed, unauthorised) {
    this.changed = changed;
    this.unauthorised = unauthorised;
  }

  // The daemon's clock: ages do not depend on the browser's.
  now() {
    return Date.now() + this.#skew;
  }

  start() {
    this.#open();
    this.#timer ??= setInterval(() => this.#look(), PERIOD);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
    this.#close();
  }

  // A page that nobody sees holds no stream: a browser has six connections to a daemon, for all its pages together.
  rest(resting) {
    if (this.#resting === resting) return;
    this.#resting = resting;
    if (resting) this.#close();
    else this.#open();
  }

  // After a change of ours: what it did is asked for at once.
  refresh() {
    return this.#ask();
  }

  #open() {
    this.#close();
    this.#opened = Date.now();
    if (this.#resting) return;
    const source = new EventSource('/api/v1/events');
    this.#source = source;
    source.addEventListener('status', (event) => this.#take(JSON.parse(event.data), 'live'));
    source.addEventListener('bulletins', (event) => this.#takeBulletins(JSON.parse(event.data), Number(event.lastEventId)));
    source.addEventListener('error', () => {
      this.#close();
      this.#ask();
    });
  }

  // Never left to reconnect by itself: a page that nobody sees must not.
  #close() {
    this.#source?.close();
    this.#source = null;
  }

  #streams() {
    return this.#source?.readyState === EventSource.OPEN;
  }

  #look() {
    const silence = Date.now() - this.#heard;
    if (this.#resting ? silence >= RESTING : !this.#streams() || silence >= SILENCE) this.#ask();
  }

  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const status = await api.status();
      if (!this.#timer) return; // stopped meanwhile
      const open = this.#streams();
      this.#take(status, open ? 'live' : this.#resting && this.link.kind !== 'lost' ? this.link.kind : 'polling');
      if (!open) await this.#askBulletins();
      if (!this.#source && Date.now() - this.#opened > REOPEN) this.#open();
    } catch (problem) {
      if (this.#timer) this.#fail(problem);
    } finally {
      this.#asking = false;
    }
  }

  async #askBulletins() {
    const answer = await api.bulletins(this.#told);
    this.#takeBulletins(answer.bulletins, answer.last);
  }

  #fail(problem) {
    if (problem.status === 401 || problem.status === 403) this.unauthorised(problem);
    else if (this.link.kind !== 'lost' || this.link.why !== problem.message) {
      this.#close();
      this.#opened = 0;
      this.link = { kind: 'lost', since: this.link.since ?? this.#heard, why: problem.message };
      this.changed();
    }
  }

  #take(status, kind) {
    if (status.daemon.started_at !== this.status?.daemon.started_at) {
      this.bulletins = [];
      this.#told = 0;
    }
    this.#heard = Date.now();
    this.#skew = Date.parse(status.daemon.time) - this.#heard;
    this.status = status;
    this.link = { kind };
    this.changed();
  }

  // One that was repeated comes again under its own number, with its new count.
  #takeBulletins(list, told) {
    this.#told = told;
    const known = new Map(this.bulletins.map((bulletin) => [bulletin.seq, bulletin]));
    for (const bulletin of list) known.set(bulletin.seq, bulletin);
    this.bulletins = [...known.values()].sort((a, b) => b.seq - a.seq).slice(0, KEPT);
    this.changed();
  }
}
