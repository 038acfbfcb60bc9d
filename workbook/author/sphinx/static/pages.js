// What the theme leaves to be said to those who do not see the page.
addEventListener("load", () => {
  document.querySelector(".sidebar-drawer").ariaLabel = "All pages";
  document.querySelector(".toc-drawer")?.setAttribute("aria-label", "On this page");
  for (const caption of document.querySelectorAll(".caption[role=heading]")) caption.ariaLevel = 2;
  // A box that scrolls can be reached with the keyboard in every browser.
  for (const box of document.querySelectorAll("pre, .output, .table-wrapper"))
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
});
