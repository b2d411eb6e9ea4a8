// What a window of the page keeps over a reload: chosen image, class, tool, and how all is shown.

const KEY = "guidenet";

export function load(defaults) {
  try {
    return { ...defaults, ...JSON.parse(sessionStorage.getItem(KEY)) };
  } catch {
    return { ...defaults };
  }
}

export function keep(values) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(values));
  } catch {
    // no room or not allowed: a reload then begins anew
  }
}
