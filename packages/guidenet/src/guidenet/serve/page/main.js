// The page: what the server knows is in `state`, what only this page knows is in `local`. Every change asks the server,
// takes over the state that it answers, and draws everything anew.

import * as api from "./api.js";
import { Picture } from "./picture.js";
import { Stage } from "./stage.js";
import { Strip } from "./strip.js";

const find = (id) => document.getElementById(id);
const local = { image: null, cls: null, masks: true, clicks: true };
const pictures = new Map();
let waiting = 0; // for how many answers
let adding = null; // the class that was named last, a promise: clicks wait until it is there
let state = { images: [], classes: [], clicks: [], masks: {}, guidance: [], can_undo: false, trained: false };

const stage = new Stage(find("stage"), find("stage-frame"), mark);
const strip = new Strip(find("strip"), pick, removeImage);

// ---- drawing

function render() {
  if (!state.classes.some(({ name }) => name === local.cls)) local.cls = state.classes[0]?.name ?? null;
  if (!state.images.some(({ id }) => id === local.image)) local.image = state.images[0]?.id ?? null;
  const colours = state.classes.map(({ colour }) => colour);
  const there = new Set(state.images.map(({ id }) => id));
  for (const id of pictures.keys()) if (!there.has(id)) pictures.delete(id);
  for (const image of state.images) {
    if (!pictures.has(image.id)) pictures.set(image.id, new Picture(image, api.shown(image.id), draw));
    const clicks = state.clicks.filter(([id]) => id === image.id);
    const listed = clicks.map(([, y, x, positive, cls]) => ({ y, x, positive, cls }));
    pictures.get(image.id).update(state.masks[image.id], colours, listed);
  }
  renderClasses();
  find("undo").disabled = find("clear").disabled = !state.can_undo;
  find("save-guidance").disabled = !state.trained;
  find("save-masks").disabled = !state.trained || !state.images.length;
  find("empty").hidden = state.images.length > 0;
  find("loaded").hidden = !state.guidance.length;
  find("loaded-names").replaceChildren(...state.guidance.map((name) => element("li", { textContent: name })));
  draw();
}

function draw() {
  const colours = state.classes.map(({ colour }) => colour);
  stage.colours = colours;
  stage.view = { masks: local.masks, clicks: local.clicks };
  const picture = pictures.get(local.image) ?? null;
  stage.show(picture);
  strip.show([...pictures.values()], local.image, stage.view, colours);
  find("caption").textContent = picture ? describe(picture) : "";
}

function describe(picture) {
  const shares = state.classes.map(({ name }, i) => [name, picture.share(i + 1)]).filter(([, share]) => share);
  const found = shares.map(([name, share]) => `${name} ${(100 * share).toFixed(1)} %`).join(", ");
  return [picture.name, `${picture.fileSize} px`, found || "no mask yet"].join("  ·  ");
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function renderClasses() {
  const focused = document.activeElement?.name === "cls";
  const rows = state.classes.map(({ name, colour }, i) => {
    const input = element("input", { type: "radio", name: "cls", value: name, checked: name === local.cls });
    input.onchange = () => chooseClass(i);
    const swatch = element("span", { className: "swatch" });
    swatch.style.background = colour;
    const row = element("label", { className: "choice" }, input, swatch);
    row.append(element("span", { className: "name", textContent: name, title: name }));
    if (i < 9) row.append(element("kbd", { textContent: i + 1, ariaHidden: "true" }));
    const used = state.clicks.some((click) => click[4] === i) || state.guidance.length;
    if (state.classes.length > 1 && !used) {
      const remove = element("button", { type: "button", textContent: "×", title: `Remove the class ${name}` });
      remove.setAttribute("aria-label", remove.title);
      remove.onclick = () => change(() => api.removeClass(name));
      row.append(remove);
    }
    return row;
  });
  find("classes").replaceChildren(...rows);
  if (focused) find("classes").querySelector(":checked")?.focus();
}

// ---- messages

function say(text, bad = false) {
  const close = element("button", { textContent: "×" });
  close.setAttribute("aria-label", "Close this message");
  const message = element("div", { className: bad ? "message bad" : "message" });
  message.append(element("span", { textContent: text }), close);
  close.onclick = () => message.remove();
  if (!bad) setTimeout(() => message.remove(), 6000);
  find("messages").append(message);
  return message;
}

const milliseconds = (seconds) => `${(1e3 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms`;

// Asks for a change and shows what came of it; returns whether it was made.
async function change(ask) {
  const start = performance.now();
  document.body.ariaBusy = String(++waiting > 0);
  try {
    state = await ask();
  } catch (error) {
    if (!(error instanceof api.Refused)) throw error;
    say(error.message, true);
    render();
    return false;
  } finally {
    document.body.ariaBusy = String(--waiting > 0);
  }
  render();
  find("time-all").textContent = milliseconds((performance.now() - start) / 1e3);
  find("time-server").textContent = milliseconds(state.seconds);
  find("time-images").textContent = state.images.length;
  return true;
}

// ---- actions

async function mark(y, x, negative) {
  const positive = !negative && document.querySelector("[name=sign]:checked").value === "yes";
  const { image } = local;
  await adding;
  const { cls } = local;
  pictures.get(image).clicks.push({ y, x, positive, cls: state.classes.findIndex(({ name }) => name === cls) });
  draw(); // the click is seen at once, the masks when they are there
  change(() => api.click({ image, y, x, positive, cls }));
}

function pick(id) {
  local.image = id;
  draw();
}

function step(by) {
  const ids = state.images.map(({ id }) => id);
  if (ids.length) pick(ids[(ids.indexOf(local.image) + by + ids.length) % ids.length]);
}

function chooseClass(i) {
  if (!state.classes[i]) return;
  local.cls = state.classes[i].name;
  renderClasses();
}

async function addClass(name) {
  if (!(await change(() => api.addClass(name)))) return;
  find("class-name").value = "";
  chooseClass(state.classes.findIndex((cls) => cls.name === name));
}

function removeImage(picture) {
  const question = `Remove ${picture.name} with its clicks? This cannot be undone.`;
  if (!picture.clicks.length || confirm(question)) change(() => api.removeImage(picture.id));
}

async function addFiles(files) {
  const images = files.filter(({ name }) => !name.toLowerCase().endsWith(".npz"));
  const progress = images.length > 1 ? say("") : null;
  for (const [i, file] of images.entries()) {
    if (progress) progress.firstChild.textContent = `Looking at ${i + 1} of ${images.length}: ${file.name}`;
    const count = state.images.length;
    if ((await change(() => api.addImage(file))) && state.images.length > count && !count) pick(state.images[0].id);
  }
  progress?.remove();
  for (const file of files) if (!images.includes(file)) await loadGuidance(file);
}

async function loadGuidance(file) {
  if (await change(() => api.loadGuidance(file))) say(`${file.name} is loaded.`);
}

async function save(path, name) {
  try {
    await api.save(path, name);
  } catch (error) {
    say(error.message, true);
  }
}

function toggle(name) {
  local[name] = !local[name];
  find(`show-${name}`).checked = local[name];
  draw();
}

const actions = {
  add: () => find("image-files").click(),
  undo: () => change(api.undo),
  clear: () => change(api.clear),
  "save-masks": () => save("/api/masks.zip", "masks.zip"),
  "save-guidance": () => save("/api/guidance.npz", "guidance.npz"),
  "load-guidance": () => find("guidance-file").click(),
  help: () => find("shortcuts").showModal(),
};

const keys = { o: "add", u: "undo", m: "save-masks", g: "save-guidance", l: "load-guidance", "?": "help" };

function flipSign() {
  const other = document.querySelector("[name=sign]:not(:checked)");
  other.checked = true;
}

// ---- events

for (const [id, action] of Object.entries(actions)) find(id).onclick = action;
find("choose").onclick = actions.add;
for (const name of ["masks", "clicks"]) find(`show-${name}`).onchange = () => toggle(name);

find("image-files").onchange = (event) => {
  addFiles([...event.target.files]);
  event.target.value = "";
};
find("guidance-file").onchange = (event) => {
  if (event.target.files.length) loadGuidance(event.target.files[0]);
  event.target.value = "";
};

find("new-class").onsubmit = (event) => {
  event.preventDefault();
  const name = find("class-name").value.trim();
  if (name) adding = addClass(name);
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input:not([type]), textarea") || find("shortcuts").open;
  if (event.key === "Escape" && event.target === find("class-name")) event.target.blur();
  if (typing || event.altKey) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !event.shiftKey) actions.undo();
  else if (event.ctrlKey || event.metaKey) return;
  else if (/^[1-9]$/.test(event.key)) chooseClass(Number(event.key) - 1);
  else {
    const key = event.key.toLowerCase();
    if (keys[key]) {
      if (!find(keys[key]).disabled) actions[keys[key]]();
    } else if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "h") toggle("masks");
    else if (key === "x") flipSign();
    else if (key === "n") find("class-name").focus();
    else return;
  }
  event.preventDefault();
});

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  find("drop").hidden = false;
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) find("drop").hidden = true;
});
addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  find("drop").hidden = true;
  addFiles([...event.dataTransfer.files]);
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) change(api.state);
});

change(api.state);
