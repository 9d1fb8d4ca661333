// Opens what the address names, prepares for print, and draws the tables.
const overview = document.getElementById('overview');
const detail = document.getElementById('detail');
const detailBody = document.getElementById('detail-body');
const title = document.title;

function wanted() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return '';
  }
}

function route() {
  const name = wanted();
  const vault = name.startsWith('vault-') && name !== 'vault-table' ? vaultByName.get(name.slice(6)) : undefined;
  const principal = name.startsWith('principal-') && name !== 'principal-table' ? principalById.get(name.slice(10)) : undefined;
  const found = vault !== undefined ? vaultDetail(vault) : principal !== undefined ? principalDetail(principal) : null;
  overview.hidden = found !== null;
  detail.hidden = found === null;
  document.title = title;
  if (found !== null) {
    detailBody.replaceChildren(...found.flat(2).filter(Boolean));
    const heading = detailBody.querySelector('h2');
    document.title = `${heading.textContent} · ${title}`;
    scrollTo(0, 0);
    heading.focus({ preventScroll: true });
    return;
  }
  detailBody.replaceChildren();
  const target = name ? document.getElementById(name) : null;
  if (target) {
    if (target.tagName === 'DETAILS') target.open = true;
    target.closest('details:not([open])')?.setAttribute('open', '');
    target.scrollIntoView();
  }
}

let closed = [];
addEventListener('beforeprint', () => {
  for (const section of document.querySelectorAll('details[data-rule]')) fill(section, FINDINGS_PRINTED);
  closed = [...document.querySelectorAll('details:not([open])')];
  for (const item of closed) item.open = true;
  for (const table of tables) table.print(true);
});
addEventListener('afterprint', () => {
  for (const item of closed) item.open = false;
  closed = [];
  for (const table of tables) table.print(false);
});

addEventListener('hashchange', route);
vaultTable();
principalTable();
setUpFindings();
route();
