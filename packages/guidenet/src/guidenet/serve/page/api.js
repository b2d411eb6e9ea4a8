// Requests to the server, one after another, so that marks are counted in their order.

let last = Promise.resolve();

export class Refused extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

async function answers() {
  return fetch("/api/revision").then((answer) => answer.ok, () => false);
}

async function ask(method, path, body, type) {
  let answer;
  try {
    answer = await fetch(path, { method, body, headers: type ? { "Content-Type": type } : {} });
  } catch (error) {
    if (await answers()) throw new Refused(`The request did not get through: ${error.message}.`);
    throw new Refused("The server does not answer. Is it still running?");
  }
  if (!answer.ok) {
    const found = await answer.json().catch(() => ({}));
    throw new Refused(found.error || `The server answered ${answer.status} ${answer.statusText}.`, answer.status);
  }
  return answer;
}

// The state after a request, see Session.state.
function change(method, path, body, type) {
  const next = last.then(async () => (await ask(method, path, body, type)).json());
  last = next.catch(() => {});
  return next;
}

const json = (method, path, fields) => change(method, path, JSON.stringify(fields), "application/json");

// Sends a file; what cannot be read, such as a folder or a file that is gone, is told from a server that is gone.
async function file(path, found, name) {
  try {
    await found.slice(0, 1).arrayBuffer();
  } catch {
    throw new Refused(`${name} cannot be read: it is a folder, or is no longer there.`);
  }
  return change("POST", `${path}?name=${encodeURIComponent(name)}`, found, "application/octet-stream");
}

export const state = () => change("GET", "/api/state");
export const revision = async () => (await (await ask("GET", "/api/revision")).json()).revision;
export const click = (fields) => json("POST", "/api/clicks", fields);
export const box = (fields) => json("POST", "/api/boxes", fields);
export const stroke = (fields) => json("POST", "/api/strokes", fields);
export const remove = (id) => change("DELETE", `/api/marks/${id}`);
export const flip = (id) => change("POST", `/api/marks/${id}/flip`);
export const choosePieces = (pieces) => json("POST", "/api/pieces", { pieces });
export const undo = () => change("POST", "/api/undo");
export const redo = () => change("POST", "/api/redo");
export const clear = () => change("POST", "/api/clear");
export const addClass = (name) => json("POST", "/api/classes", { name });
export const paintClass = (name, colour) => json("PATCH", "/api/classes", { name, colour });
export const removeClass = (name) => change("DELETE", `/api/classes?name=${encodeURIComponent(name)}`);
export const addImage = (found, name) => file("/api/images", found, name);
export const removeImage = (id) => change("DELETE", `/api/images/${id}`);
export const loadGuidance = (found) => file("/api/guidance", found, found.name);
export const openWork = (found) => file("/api/work", found, found.name);
export const shown = (id) => `/api/images/${id}/shown.jpg`;

// Fetches a file and hands it to the user; what the server says against it is thrown.
export async function save(name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await (await ask("GET", `/api/${name}`)).blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
