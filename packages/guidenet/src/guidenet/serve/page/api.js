// Requests to the server, one after another, so that clicks are counted in their order.

let last = Promise.resolve();

export class Refused extends Error {}

async function ask(method, path, body, type) {
  let answer;
  try {
    answer = await fetch(path, { method, body, headers: type ? { "Content-Type": type } : {} });
  } catch {
    throw new Refused("The server does not answer. Is it still running?");
  }
  if (!answer.ok) {
    const found = await answer.json().catch(() => ({}));
    throw new Refused(found.error || `The server answered ${answer.status} ${answer.statusText}.`);
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
const file = (path, found) =>
  change("POST", `${path}?name=${encodeURIComponent(found.name)}`, found, "application/octet-stream");

export const state = () => change("GET", "/api/state");
export const click = (fields) => json("POST", "/api/clicks", fields);
export const undo = () => change("POST", "/api/undo");
export const clear = () => change("POST", "/api/clear");
export const addClass = (name) => json("POST", "/api/classes", { name });
export const removeClass = (name) => change("DELETE", `/api/classes?name=${encodeURIComponent(name)}`);
export const addImage = (found) => file("/api/images", found);
export const removeImage = (id) => change("DELETE", `/api/images/${id}`);
export const loadGuidance = (found) => file("/api/guidance", found);
export const shown = (id) => `/api/images/${id}/shown.jpg`;

// Fetches a file and hands it to the user; what the server says against it is thrown.
export async function save(path, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await (await ask("GET", path)).blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
