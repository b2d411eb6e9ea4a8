// What a user does with marks, images, classes and files; each is a request to the server, or a choice of this window.

import * as api from "./api.js";
import { classIndex, local, pending, pictures, state } from "./model.js";

export class Acts {
  // change as that of Changes, draw() after a choice, say as Messages.
  constructor(find, change, draw, say) {
    Object.assign(this, { find, change, draw, say, adding: null }); // the class that was named last, a promise
  }

  // Says what a mark says, which is { kind, .. } with its places; it waits until its class is there.
  async mark(fields, negative) {
    const positive = local.sign && !negative;
    const { image } = local;
    await this.adding;
    const { cls } = local;
    if (!pictures.has(image)) return;
    const { kind, ...places } = fields;
    const drawn = { ...fields, image, positive, cls: classIndex() };
    pending.push(drawn); // it is seen at once, the masks when they are there
    pictures.get(image).marks.push(drawn);
    this.draw();
    await this.change(async () => {
      try {
        return await api[kind]({ image, ...places, positive, cls });
      } finally {
        pending.splice(pending.indexOf(drawn), 1);
      }
    });
  }

  pick(id) {
    local.image = id;
    this.draw();
  }

  step(by) {
    const ids = state.images.map(({ id }) => id);
    if (ids.length) this.pick(ids[(ids.indexOf(local.image) + by + ids.length) % ids.length]);
  }

  removeImage(picture) {
    const question = `Remove ${picture.name} with its marks? This cannot be undone.`;
    if (!picture.marks.length || confirm(question)) this.change(() => api.removeImage(picture.id));
  }

  chooseClass(i) {
    if (!state.classes[i]) return;
    local.cls = state.classes[i].name;
    this.draw();
  }

  nameClass() {
    const name = this.find("class-name").value.trim();
    if (name) this.adding = this.addClass(name);
  }

  async addClass(name) {
    if (await this.change(() => api.addClass(name))) return;
    this.find("class-name").value = "";
    this.chooseClass(state.classes.findIndex((cls) => cls.name === name));
  }

  choosePieces(pieces) {
    this.change(() => api.choosePieces(pieces));
  }

  async save(name) {
    try {
      await api.save(name);
    } catch (error) {
      this.say(error.message, true);
    }
  }
}
