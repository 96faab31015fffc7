// Before the first picture: the shade that was chosen, so that nothing flashes.
// A classic script, because modules wait.
(() => {
  try {
    const theme = localStorage.getItem('tachograph.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.setAttribute('data-theme', theme);
  } catch {
    // Then it follows the system.
  }
})();
