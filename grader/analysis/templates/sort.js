for (const [place, head] of document.querySelectorAll("thead th").entries()) {
  const button = head.querySelector("button");
  if (!button) continue;
  button.addEventListener("click", () => {
    const rising = head.getAttribute("aria-sort") === "descending";
    for (const other of document.querySelectorAll("thead th[aria-sort]")) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const body = document.querySelector("tbody");
    const value = row => row.children[place].dataset.value;
    const text = place === 0;
    const rows = [...body.rows].sort((a, b) => text ? value(a).localeCompare(value(b)) : value(a) - value(b));
    body.append(...(rising !== text ? rows : rows.reverse()));
  });
}
