import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { applyReg, formatReg, parseReg, Registry, type RegistryJson } from '../kernel/index.ts';
import { CliError } from './cli-error.ts';

const isRegText = (path: string): boolean => path.toLowerCase().endsWith('.reg');

/** UTF-16 with a byte order mark, as regedit writes, or UTF-8. */
function readText(path: string): string {
  const bytes = readFileSync(path);
  return bytes[0] === 0xff && bytes[1] === 0xfe
    ? bytes.subarray(2).toString('utf16le')
    : bytes.toString('utf8');
}

/**
 * The registry that a file holds: the JSON that {@link saveRegistry} writes, or, by its name, a .reg file. A file that does not exist
 * is an empty registry: it is made at the end of the run. @throws CliError when it cannot be read or is damaged
 */
export function loadRegistry(path: string): Registry {
  if (!existsSync(path)) return new Registry();
  try {
    const text = readText(path);
    if (!isRegText(path)) return Registry.fromJSON(JSON.parse(text) as RegistryJson);
    const registry = new Registry();
    applyReg(registry, parseReg(text));
    return registry;
  } catch (error) {
    throw new CliError(
      `The registry file ${path} cannot be used: ${error instanceof Error ? error.message : error}. ` +
        'Correct it, or name another file.',
    );
  }
}

/** Writes the registry to a file, in the form that its name asks for. @throws CliError when it cannot be written */
export function saveRegistry(path: string, registry: Registry): void {
  const text = isRegText(path)
    ? (formatReg(registry, 'HKLM') ?? '')
    : `${JSON.stringify(registry.toJSON(), null, 1)}\n`;
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new CliError(
      `The registry cannot be saved to ${path}: ${error instanceof Error ? error.message : error}`,
    );
  }
}
