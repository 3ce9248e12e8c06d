import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { miniport, TemporaryFolder } from './support/cli.ts';

const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());

/** The name that the AC'97 driver gives to a node of its own, as the registry has it. */
const HEADPHONE_VOLUME = '{8C3C5D9E-6A0B-4F86-9B0D-2B4A4B1E7A12}';

describe('--registry', () => {
  it.each(['state.reg', 'state.json'])('keeps the registry in %s from run to run', async (name) => {
    const path = folder.file(name);
    expect((await miniport('endpoints', '--registry', path)).code).toBe(0);
    const text = readFileSync(path, 'utf8');
    expect(text.toUpperCase()).toContain(HEADPHONE_VOLUME);
    const again = await miniport('endpoints', '--registry', path);
    expect(again.err).toBe('');
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('uses what somebody changed in it: here the name of a node', async () => {
    const path = folder.file('edited.reg');
    await miniport('endpoints', '--registry', path);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('"Name"="Headphone Volume"', '"Name"="Cans"'));
    const { out } = await miniport('control', '--registry', path);
    expect(out).toContain('Cans');
    expect(out).not.toContain('Headphone Volume');
  });

  it('refuses a damaged file and leaves it alone', async () => {
    const path = folder.file('damaged.reg');
    writeFileSync(path, 'nothing of the kind');
    const { code, err } = await miniport('endpoints', '--registry', path);
    expect(code).toBe(2);
    expect(err).toContain('damaged.reg cannot be used: Line 1');
    expect(existsSync(path) && readFileSync(path, 'utf8')).toBe('nothing of the kind');
  });
});
