// Puts the page together: model.js has what it knows, changes.js asks the server, drawing.js draws, acts.js has what a
// user does, controls.js and keys.js what is pressed for it.

import { Acts } from "./acts.js";
import * as api from "./api.js";
import { Changes } from "./changes.js";
import { Chosen } from "./chosen.js";
import { ClassList } from "./classes.js";
import { control } from "./controls.js";
import { Drawing } from "./drawing.js";
import { receive } from "./inbox.js";
import { Messages } from "./messages.js";
import { look, shownMarks, state } from "./model.js";
import { Stage } from "./stage.js";
import { Strip } from "./strip.js";

const POLL = 1500; // ms between questions whether another window has changed something

const find = (id) => document.getElementById(id);
const messages = new Messages(find("messages"));
const say = (...words) => messages.say(...words);
const changes = new Changes(find, () => drawing.render(), say);
const change = (ask, quiet) => changes.change(ask, quiet);
const draw = () => drawing.draw();
const acts = new Acts(find, change, draw, say);

const strip = new Strip(
  find("strip"),
  (id) => acts.pick(id),
  (picture) => acts.removeImage(picture),
);
const stage = new Stage(find("stage"), find("stage-frame"), {
  mark: (fields, negative) => acts.mark(fields, negative),
  choose: (found) => chosen.choose(found),
  look,
  zoomed: (view) => drawing.showZoom(view),
  moved: () => chosen.place(),
});
const chosen = new Chosen(find("mark-menu"), stage, { marks: shownMarks, change, flip: api.flip, remove: api.remove });
const classes = new ClassList(find("classes"), {
  choose: (i) => acts.chooseClass(i),
  paint: (name, colour) => change(() => api.paintClass(name, colour)),
  remove: (name) => change(() => api.removeClass(name)),
});
const drawing = new Drawing(find, { stage, strip, chosen, classes }, (id) => change(() => api.remove(id)));

control(find, { acts, change, draw, stage, chosen });
receive(find, { state: () => state, change, say });
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) change(api.state);
});
change(api.state);
setInterval(() => changes.poll(), POLL);
