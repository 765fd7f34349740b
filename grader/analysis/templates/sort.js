for (const [place, head] of document.querySelectorAll("thead th").entries()) {
  const button = head.querySelector("button");
  if (!button) continue;
  const text = place === 0;
  const value = row => row.children[place].dataset.value;
  const compare = (a, b) => text ? value(a).localeCompare(value(b), undefined, { numeric: true }) : value(a) - value(b);
  button.addEventListener("click", () => {
    const before = head.getAttribute("aria-sort");
    // names begin with A, ranks with 1, figures with the highest; the next click turns it round
    const rising = before === "none" ? place < 2 : before === "descending";
    for (const other of document.querySelectorAll("thead th[aria-sort]")) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const body = document.querySelector("tbody");
    const rows = [...body.rows].sort(compare);
    body.append(...(rising ? rows : rows.reverse()));
  });
}
