// Light, dark, or as the system says: an attribute on the root that the style sheet reads.
const KEY = 'sluice.theme';
const ORDER = ['auto', 'light', 'dark'];

function stored() {
  const value = localStorage.getItem(KEY);
  return ORDER.includes(value) ? value : 'auto';
}

function apply(theme) {
  if (theme === 'auto') document.documentElement.removeAttribute('data-theme');
  else document.documentElement.dataset.theme = theme;
}

apply(stored());

export function themeSwitch(button) {
  const show = () => {
    button.textContent = `Theme: ${stored()}`;
  };
  button.addEventListener('click', () => {
    const next = ORDER[(ORDER.indexOf(stored()) + 1) % ORDER.length];
    localStorage.setItem(KEY, next);
    apply(next);
    show();
  });
  show();
}
