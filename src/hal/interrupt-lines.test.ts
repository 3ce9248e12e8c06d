import { describe, expect, it } from 'vitest';
import { InterruptLines } from './interrupt-lines.ts';

function setUp() {
  const lines = new InterruptLines(24);
  const changes: string[] = [];
  lines.onChange((line, asserted) => changes.push(`${line}${asserted ? '+' : '-'}`));
  return { lines, changes };
}

describe('interrupt lines', () => {
  it('is asserted while any source asserts, and falls when the last lets go', () => {
    const { lines, changes } = setUp();
    const a = lines.connect(17);
    const b = lines.connect(17);
    a.setLevel(true);
    b.setLevel(true);
    a.setLevel(false);
    expect(lines.isAsserted(17)).toBe(true);
    b.setLevel(false);
    expect(lines.isAsserted(17)).toBe(false);
    expect(changes).toEqual(['17+', '17-']);
  });

  it('counts a level once, however often a card states it', () => {
    const { lines, changes } = setUp();
    const a = lines.connect(16);
    a.setLevel(true);
    a.setLevel(true);
    a.setLevel(false);
    expect(lines.isAsserted(16)).toBe(false);
    expect(changes).toEqual(['16+', '16-']);
  });

  it('loses the level of a source that is taken off, and ignores it from then on', () => {
    const { lines } = setUp();
    const a = lines.connect(18);
    a.setLevel(true);
    a.disconnect();
    expect(lines.isAsserted(18)).toBe(false);
    a.setLevel(true);
    expect(lines.isAsserted(18)).toBe(false);
  });

  it('has only the lines it has', () => {
    const { lines } = setUp();
    expect(() => lines.connect(24)).toThrow(RangeError);
    expect(() => lines.connect(-1)).toThrow(RangeError);
  });
});
