import { CARDS, type CardChoices, type CardOption } from '../catalog.ts';

/** What can be chosen of any card, each once. */
export const CARD_OPTIONS: readonly CardOption[] = CARDS.flatMap((card) => card.options ?? []).filter(
  (option, index, all) => all.findIndex(({ name }) => name === option.name) === index,
);

/** What of that was on the command line. */
export function chosenOf(options: object): CardChoices {
  const given = new Map(Object.entries(options));
  return Object.fromEntries(
    CARD_OPTIONS.flatMap(({ name }) => {
      const value: unknown = given.get(name);
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}
