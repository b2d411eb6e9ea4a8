// Changes of the state: the server is asked, its answer is taken over, and all is drawn anew.

import * as api from "./api.js";
import { state, take } from "./model.js";

const milliseconds = (seconds) => `${(1e3 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms`;

export class Changes {
  // render() draws a new state, say as Messages.
  constructor(find, render, say) {
    Object.assign(this, { find, render, say, waiting: 0 }); // for how many answers
  }

  // Asks for a change and shows what came of it; returns null, or why it was refused, which is said unless `quiet`.
  async change(ask, quiet = false) {
    const start = performance.now();
    this.wait(1);
    let reason = null;
    try {
      take(await ask());
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error;
      reason = error.message;
      if (!quiet) this.say(reason, true);
      if (error.status === 404) await api.state().then(take, () => {}); // it is gone here, too
    } finally {
      this.wait(-1);
    }
    this.render();
    if (reason) return reason;
    this.find("time-all").textContent = milliseconds((performance.now() - start) / 1e3);
    this.find("time-server").textContent = milliseconds(state.seconds);
    this.find("time-images").textContent = state.images.length;
    return null;
  }

  wait(more) {
    this.waiting += more;
    document.body.ariaBusy = String(this.waiting > 0);
  }

  // Another window may have changed something.
  async poll() {
    if (document.hidden || this.waiting) return;
    const found = await api.revision().catch(() => state.revision);
    if (found !== state.revision && !this.waiting) await this.change(api.state);
  }
}
