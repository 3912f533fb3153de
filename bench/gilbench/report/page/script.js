"use strict";
// Conveniences; without scripts, the page still shows everything. Nothing is fetched or stored.
(() => {
  const root = document.documentElement;
  const find = (id) => document.getElementById(id);

  const theme = find("theme");
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const name = () => { theme.textContent = dark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; name(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", name);
  name();
  theme.hidden = false;

  const drawer = find("drawer");
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.cell");
    const shown = link && find(link.hash.slice(1));
    if (!shown || !shown.classList.contains("case") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const copy = shown.cloneNode(true);
    copy.removeAttribute("id");
    find("content").replaceChildren(copy);
    drawer.setAttribute("aria-label", shown.getAttribute("aria-label"));
    drawer.showModal();
    drawer.scrollTop = 0;
  });
  drawer.addEventListener("click", (event) => { if (event.target === drawer) drawer.close(); });

  const table = find("speedups");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];

  const sortBy = (header) => {
    const down = header.getAttribute("aria-sort") !== (header.dataset.sort === "number" ? "descending" : "ascending");
    const sign = (header.dataset.sort === "number") === down ? -1 : 1;
    const value = (row) => row.cells[header.cellIndex].dataset.value;
    const numbers = (a, b) => sign * (Number(a) - Number(b));
    const texts = (a, b) => sign * a.localeCompare(b);
    const compare = header.dataset.sort === "number" ? numbers : texts;
    // Unknown values come last in either order.
    const sorted = [...body.rows].sort((a, b) => (value(a) === "") - (value(b) === "") || compare(value(a), value(b)));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    body.append(...sorted);
  };
  for (const header of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sortBy(header));
    header.append(button);
  }

  const tools = find("tools");
  const selects = ["family", "workers", "result"].map(find).filter(Boolean);
  for (const select of selects) {
    const values = [...new Set(rows.map((row) => row.dataset[select.id]))];
    if (select.id === "workers") values.sort((a, b) => a - b);
    for (const value of values) select.add(new Option(select.id === "family" ? value.replaceAll("_", " ") : value, value));
  }
  const filter = () => {
    const boxes = [...tools.querySelectorAll("input")];
    const off = new Set(boxes.filter((box) => !box.checked).map((box) => box.value));
    for (const cell of table.querySelectorAll("[data-series]")) cell.hidden = off.has(cell.dataset.series);
    const empty = (row) => boxes.length > 0 && ![...row.cells].some((cell) => "series" in cell.dataset && !cell.hidden && cell.textContent.trim());
    for (const row of rows) {
      row.hidden = selects.some((select) => select.value && row.dataset[select.id] !== select.value) || (off.size > 0 && empty(row));
    }
    find("count").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  };
  tools.addEventListener("change", filter);
  tools.addEventListener("submit", (event) => event.preventDefault());
  filter();
  tools.hidden = false;
})();
