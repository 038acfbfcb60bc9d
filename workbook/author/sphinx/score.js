// Of pages that a search finds equally, lessons come first, in their order.
var Scorer = {
  score: ([name, , , , score]) => {
    const chapter = name.match(/^notebooks\/(\d+)/);
    return score + (chapter ? 0.9 - chapter[1] / 100 : 0);
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: {},
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
