"use strict";
// The page is complete without this script but for its figures and the table of all children.
(() => {
  const { children, charts, best } = JSON.parse(document.getElementById("data").textContent);
  const PAGE = 25;
  const BESIDE_POINTER = 16;
  const card = document.getElementById("card");
  let drawings = [];
  let selected = null;

  // Values of children, as text.

  const whole = (value) => (value === null ? "" : value.toLocaleString("en-US"));
  const fraction = (value) => (value === null ? "" : value.toFixed(4));
  const status = (child) => child.status.replaceAll("_", " ") + (child.is_interpolated ? ", interpolated" : "");
  const number = (child) => `#${child.index + 1}`;
  const COLUMNS = [
    { title: "#", sorts: (child) => child.index, text: (child) => String(child.index + 1), isNumber: true },
    { title: "level", sorts: (child) => child.fidelity * 1000 + child.n_blocks, text: (child) => child.level },
    { title: "accuracy", sorts: (child) => child.accuracy, text: (child) => fraction(child.accuracy), isNumber: true },
    { title: "predicted", sorts: (child) => child.predicted, text: (child) => fraction(child.predicted), isNumber: true },
    { title: "parameters", sorts: (child) => child.n_parameters, text: (child) => whole(child.n_parameters), isNumber: true },
    { title: "multiply-adds", sorts: (child) => child.multiply_adds, text: (child) => whole(child.multiply_adds), isNumber: true },
    { title: "seconds", sorts: (child) => child.seconds, text: (child) => child.seconds.toFixed(1), isNumber: true },
    { title: "status", sorts: status, text: status },
    { title: "cell", sorts: (child) => child.cell, text: (child) => child.cell, isCode: true },
  ];

  const element = (tag, properties = {}, ...content) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...content);
    return made;
  };

  function values(child, names) {
    const list = element("dl", { className: "values" });
    for (const { title, text } of COLUMNS.filter((column) => names.includes(column.title))) {
      if (text(child)) list.append(element("dt", {}, title), element("dd", {}, text(child)));
    }
    return list;
  }

  function drawing(child) {
    // What the command has drawn; the only markup that is not made here.
    return element("div", { className: "drawing", innerHTML: drawings[child.index] ?? "" });
  }

  // The card beside the pointer.

  function showCard(child, x, y) {
    card.replaceChildren(
      element("strong", {}, `${number(child)}, ${child.level}`),
      values(child, ["accuracy", "predicted", "parameters", "multiply-adds", "status"]),
      drawing(child),
      element("code", {}, child.cell),
    );
    card.hidden = false;
    const { width, height } = card.getBoundingClientRect();
    const right = x + BESIDE_POINTER + width <= innerWidth;
    const left = right ? x + BESIDE_POINTER : Math.max(4, x - BESIDE_POINTER - width);
    const top = Math.max(4, Math.min(y - height / 3, innerHeight - height - 4));
    card.style.transform = `translate(${left}px, ${top}px)`;
    card.dataset.child = child.index;
  }

  function hideCard() {
    card.hidden = true;
  }

  // Charts. A colour that begins with -- is a custom property of the page.

  function themed(value, style = getComputedStyle(document.documentElement)) {
    if (typeof value === "string") return value.startsWith("--") ? style.getPropertyValue(value).trim() : value;
    if (Array.isArray(value)) return value.map((item) => themed(item, style));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, themed(item, style)]));
  }

  function merged(one, other) {
    const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
    const result = { ...one };
    for (const [name, value] of Object.entries(other)) {
      result[name] = isObject(value) && isObject(one[name]) ? merged(one[name], value) : value;
    }
    return result;
  }

  const AXIS = { color: "--muted", gridcolor: "--grid", linecolor: "--axis", zeroline: false, automargin: true, title: { standoff: 8 } };
  const LAYOUT = {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: "--muted" },
    margin: { l: 8, r: 12, t: 24, b: 8 },
    showlegend: false,
    hovermode: "closest",
    hoverdistance: 14,
    // A finger that drags scrolls the page.
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    xaxis: AXIS,
    yaxis: AXIS,
  };

  const places = {};
  for (const [name, chart] of Object.entries(charts)) {
    places[name] = new Map();
    for (const trace of chart.traces) {
      (trace.customdata ?? []).forEach((index, i) => places[name].set(index, [trace.x[i], trace.y[i]]));
    }
  }

  function ancestry(index) {
    const line = [];
    for (let at = index; at !== null; at = children[at].parent) line.unshift(at);
    return line;
  }

  function descentPath(name, index) {
    // From the first ancestor to the child, and from there to each of its own children.
    if (index === null) return { x: [], y: [] };
    const line = ancestry(index).map((at) => places[name].get(at)).filter(Boolean);
    const here = places[name].get(index);
    const own = children.filter((child) => child.parent === index).map((child) => places[name].get(child.index)).filter(Boolean);
    const path = [...line, ...own.flatMap((place) => (here ? [[null, null], here, place] : []))];
    return { x: path.map((place) => place[0]), y: path.map((place) => place[1]) };
  }

  function overlays(name, index) {
    const place = index === null ? undefined : places[name].get(index);
    const ring = {
      type: "scatter",
      mode: "markers",
      x: place ? [place[0]] : [],
      y: place ? [place[1]] : [],
      hoverinfo: "skip",
      marker: { size: 15, color: "rgba(0,0,0,0)", line: { width: 2.5, color: "--ink" } },
    };
    if (!charts[name].shows_descent) return [ring];
    const descent = { type: "scatter", mode: "lines", hoverinfo: "skip", line: { color: "--ink", width: 1.5 } };
    return [{ ...descent, ...descentPath(name, index) }, ring];
  }

  function draw(name) {
    const chart = charts[name];
    const traces = themed([...chart.traces, ...overlays(name, selected)]);
    const layout = themed(merged(LAYOUT, chart.layout));
    return Plotly.react(name, traces, layout, { displayModeBar: false, responsive: true });
  }

  function mark(name, index) {
    const traces = overlays(name, index);
    const first = charts[name].traces.length;
    Plotly.restyle(name, { x: traces.map((trace) => trace.x), y: traces.map((trace) => trace.y) }, traces.map((_, i) => first + i));
  }

  function markEverywhere() {
    for (const name of Object.keys(charts)) mark(name, selected);
  }

  function watch(name) {
    const chart = document.getElementById(name);
    chart.on("plotly_hover", ({ points: [point], event }) => {
      showCard(children[point.customdata], event.clientX, event.clientY);
      if (charts[name].shows_descent) mark(name, point.customdata);
    });
    chart.on("plotly_unhover", () => {
      hideCard();
      if (charts[name].shows_descent) mark(name, selected);
    });
    chart.on("plotly_click", ({ points: [point] }) => select(point.customdata, { scrolls: true }));
    const inOrder = [...places[name].keys()].sort((one, other) => {
      const [a, b] = [places[name].get(one), places[name].get(other)];
      return a[0] - b[0] || a[1] - b[1];
    });
    let at = -1;
    chart.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (step && inOrder.length) {
        at = at < 0 ? Math.max(0, inOrder.indexOf(selected ?? best)) : (at + step + inOrder.length) % inOrder.length;
        showAt(chart, name, inOrder[at]);
        event.preventDefault();
      } else if (event.key === "Enter" && at >= 0) {
        hideCard();
        select(inOrder[at], { scrolls: true });
      }
    });
    chart.addEventListener("blur", () => {
      hideCard();
      mark(name, selected);
    });
  }

  function showAt(chart, name, index) {
    mark(name, index);
    const { xaxis, yaxis } = chart._fullLayout; // plotly.js has no public way from data to pixels
    const [x, y] = places[name].get(index);
    const box = chart.getBoundingClientRect();
    showCard(children[index], box.left + xaxis._offset + xaxis.d2p(x), box.top + yaxis._offset + yaxis.d2p(y));
  }

  // The table.

  const filters = document.getElementById("filters");
  const body = document.querySelector("#table tbody");
  const order = { column: COLUMNS[2], isDescending: true };
  let page = 0;

  function listed() {
    const { text, level, status: wanted } = Object.fromEntries(new FormData(filters));
    const kept = children.filter(
      (child) => child.cell.includes(text.trim()) && (!level || child.level === level) && (!wanted || status(child) === wanted),
    );
    const sign = order.isDescending ? -1 : 1;
    return kept.sort((one, other) => {
      const [a, b] = [order.column.sorts(one), order.column.sorts(other)];
      if (a === null || b === null) return (a === null) - (b === null); // what is not known comes last
      return a === b ? one.index - other.index : a < b ? -sign : sign;
    });
  }

  function row(child) {
    const made = element("tr", { tabIndex: 0 });
    made.dataset.child = child.index;
    if (child.index === selected) made.setAttribute("aria-current", "true");
    for (const { text, isNumber, isCode } of COLUMNS) {
      const content = isCode ? element("code", {}, text(child)) : text(child);
      made.append(element("td", { className: isNumber ? "number" : "" }, content));
    }
    return made;
  }

  function detail(child) {
    const told = element("div", {}, values(child, COLUMNS.slice(1, 8).map((column) => column.title)));
    if (child.message) told.append(element("p", {}, child.message));
    told.append(element("code", {}, child.cell), relatives(child));
    const content = element("div", { className: "detail-body" }, drawing(child), told);
    return element("tr", { className: "detail" }, element("td", { colSpan: COLUMNS.length, className: "detail-cell" }, content));
  }

  function relatives(child) {
    const own = children.filter((other) => other.parent === child.index);
    const line = element("p", { className: "note" });
    if (child.parent !== null) line.append("Parent ", link(children[child.parent]), ". ");
    if (own.length) line.append("Children ", ...own.slice(0, 20).flatMap((other) => [link(other), " "]));
    if (own.length > 20) line.append(`and ${own.length - 20} more`);
    return line;
  }

  function link(child) {
    const made = element("button", { type: "button", className: "link" }, number(child));
    made.dataset.child = child.index;
    return made;
  }

  function fill() {
    const rows = listed();
    const pages = Math.max(1, Math.ceil(rows.length / PAGE));
    page = Math.min(page, pages - 1);
    const shown = rows.slice(page * PAGE, (page + 1) * PAGE);
    body.replaceChildren(...shown.flatMap((child) => (child.index === selected ? [row(child), detail(child)] : [row(child)])));
    document.getElementById("shown").value = `${whole(rows.length)} of ${whole(children.length)}`;
    document.getElementById("page").textContent = `Page ${page + 1} of ${pages}`;
    document.getElementById("before").disabled = page === 0;
    document.getElementById("after").disabled = page === pages - 1;
  }

  function select(index, { scrolls = false } = {}) {
    selected = index;
    hideCard();
    if (index !== null) {
      if (!listed().includes(children[index])) filters.reset();
      page = Math.floor(listed().indexOf(children[index]) / PAGE);
    }
    fill();
    markEverywhere();
    const chosen = body.querySelector("[aria-current]");
    if (chosen) chosen.focus({ preventScroll: true });
    if (chosen && scrolls) chosen.scrollIntoView({ block: "center" });
  }

  function sortBy(column) {
    order.isDescending = order.column === column ? !order.isDescending : Boolean(column.isNumber) && column !== COLUMNS[0];
    order.column = column;
    page = 0;
    showOrder();
    fill();
  }

  function showOrder() {
    document.querySelectorAll("#table th").forEach((heading, i) => {
      if (COLUMNS[i] === order.column) heading.setAttribute("aria-sort", order.isDescending ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    });
  }

  function makeTable() {
    for (const column of COLUMNS) {
      const button = element("button", { type: "button", onclick: () => sortBy(column) }, column.title);
      const heading = element("th", { scope: "col", className: column.isNumber ? "number" : "" }, button);
      document.querySelector("#table thead tr").append(heading);
    }
    for (const [name, told] of [["level", (child) => child.level], ["status", status]]) {
      for (const value of new Set(children.map(told))) filters.elements[name].append(element("option", { value }, value));
    }
    filters.addEventListener("submit", (event) => event.preventDefault());
    filters.addEventListener("input", () => {
      page = 0;
      fill();
    });
    document.getElementById("before").onclick = () => { page -= 1; fill(); };
    document.getElementById("after").onclick = () => { page += 1; fill(); };
    showOrder();
    fill();
  }

  // What is chosen, wherever.

  document.addEventListener("click", ({ target }) => {
    const chosen = target.closest("[data-child]");
    if (!chosen || card.contains(chosen)) return;
    const index = Number(chosen.dataset.child);
    const isRow = chosen.tagName === "TR";
    select(isRow && index === selected ? null : index, { scrolls: !isRow });
  });
  body.addEventListener("keydown", (event) => {
    if (event.target.tagName !== "TR" || !["Enter", " "].includes(event.key)) return;
    event.target.click();
    event.preventDefault();
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    hideCard();
    if (selected !== null) select(null);
  });

  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  async function start() {
    makeTable();
    drawings = await unpack(document.getElementById("drawings").textContent);
    for (const name of Object.keys(charts)) {
      await draw(name);
      watch(name);
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => Object.keys(charts).forEach(draw));
    document.documentElement.dataset.ready = "true";
  }

  start();
})();
