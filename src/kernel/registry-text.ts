/** Registry files: text of `Windows Registry Editor Version 5.00`, read and written. */
import { fullPath, type Registry, type RegistryKey } from './registry.ts';
import {
  decodeDword,
  decodeUtf16,
  encodeDword,
  encodeSz,
  encodeUtf16,
  REG_BINARY,
  REG_DWORD,
  REG_SZ,
} from './registry-values.ts';

/** One value line of a .reg file. */
export type RegFileValue =
  | { readonly kind: 'set'; readonly name: string; readonly type: number; readonly data: Uint8Array }
  | { readonly kind: 'delete'; readonly name: string };

/** One `[key]` section of a .reg file. */
export interface RegFileSection {
  /** As written, without the minus: `HKEY_LOCAL_MACHINE\…`. */
  readonly path: string;
  /** `[-key]`: the key and all below it go. */
  readonly deleteKey: boolean;
  readonly values: readonly RegFileValue[];
}

/** Thrown for text that is no .reg file; says where. */
export class RegFileError extends SyntaxError {
  override readonly name = 'RegFileError';
  /** Counts from 1. */
  readonly line: number;

  constructor(line: number, text: string) {
    super(`Line ${line}: ${text}`);
    this.line = line;
  }
}

const HEADER = 'Windows Registry Editor Version 5.00';
const HEADER_ANSI = 'REGEDIT4';

interface Line {
  readonly number: number;
  readonly text: string;
}

/**
 * Reads a .reg file of version 5 (or REGEDIT4, whose string bytes are ANSI), given as text; a byte order mark is left out. Knows
 * strings with escapes and line breaks, dword, hex and hex(type) over several lines, deletions of values (`"name"=-`) and keys
 * (`[-key]`), the default value (`@`), comments. Throws a {@link RegFileError}.
 */
export function parseReg(text: string): RegFileSection[] {
  const lines = joinContinued(text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/));
  const header = lines.find((line) => line.text.trim() !== '');
  const title = header?.text.trim() ?? '';
  if (header === undefined || (title !== HEADER && title !== HEADER_ANSI)) {
    throw new RegFileError(header?.number ?? 1, `expected '${HEADER}' or '${HEADER_ANSI}'`);
  }
  const ansi = title === HEADER_ANSI;
  const sections: { path: string; deleteKey: boolean; values: RegFileValue[] }[] = [];
  for (const line of lines) {
    const trimmed = line.text.trim();
    if (line === header || trimmed === '' || trimmed.startsWith(';')) continue;
    if (trimmed.startsWith('[')) {
      sections.push(parseSection(trimmed, line.number));
      continue;
    }
    const section = sections.at(-1);
    if (section === undefined) throw new RegFileError(line.number, 'a value before the first [key]');
    if (section.deleteKey) throw new RegFileError(line.number, `a value for the deleted key ${section.path}`);
    section.values.push(parseValue(trimmed, line.number, ansi));
  }
  return sections;
}

/**
 * Puts lines together that belong together: a hex list goes on after a backslash at the end of the line, a quoted string until its
 * closing quote (strings may contain line breaks).
 */
function joinContinued(raw: readonly string[]): Line[] {
  const lines: Line[] = [];
  for (let i = 0; i < raw.length; i++) {
    const number = i + 1;
    let text = raw[i] ?? '';
    if (/^\s*("|@)/.test(text)) {
      if (isHexList(text)) {
        while (/\\\s*(;.*)?$/.test(text) && i + 1 < raw.length)
          text = text.replace(/\\\s*(;.*)?$/, '') + (raw[++i] ?? '').trim();
      } else {
        while (hasOpenQuote(text) && i + 1 < raw.length) text = `${text}\n${raw[++i] ?? ''}`;
      }
    }
    lines.push({ number, text });
  }
  return lines;
}

function isHexList(text: string): boolean {
  return /^\s*("([^"\\]|\\.)*"|@)\s*=\s*hex/i.test(text);
}

function hasOpenQuote(text: string): boolean {
  let open = false;
  for (let i = 0; i < text.length; i++) {
    if (open && text[i] === '\\') i++;
    else if (text[i] === '"') open = !open;
  }
  return open;
}

function parseSection(
  text: string,
  line: number,
): { path: string; deleteKey: boolean; values: RegFileValue[] } {
  // A key's name may contain brackets: the last one on the line closes it.
  const end = text.lastIndexOf(']');
  if (end < 0) throw new RegFileError(line, `']' is missing after ${text}`);
  const deleteKey = text[1] === '-';
  const path = text.slice(deleteKey ? 2 : 1, end).replace(/\\$/, '');
  if (path === '') throw new RegFileError(line, 'the key has no name');
  return { path, deleteKey, values: [] };
}

function parseValue(text: string, line: number, ansi: boolean): RegFileValue {
  const match = /^(?:@|"((?:[^"\\]|\\[\s\S])*)")\s*=\s*([\s\S]*)$/.exec(text);
  if (match === null) throw new RegFileError(line, `expected "name"=value, found ${text}`);
  const name = unescapeString(match[1] ?? '');
  const value = (match[2] ?? '').trim();
  if (/^-\s*(;.*)?$/.test(value)) return { kind: 'delete', name };
  if (value.startsWith('"')) {
    const string = /^"((?:[^"\\]|\\[\s\S])*)"\s*(;.*)?$/.exec(value);
    if (string === null) throw new RegFileError(line, `the string of '${name}' has no closing quote`);
    return { kind: 'set', name, type: REG_SZ, data: encodeSz(unescapeString(string[1] ?? '')) };
  }
  const dword = /^dword:\s*([0-9a-f]{1,8})\s*(;.*)?$/i.exec(value);
  if (dword !== null) {
    return { kind: 'set', name, type: REG_DWORD, data: encodeDword(Number.parseInt(dword[1] ?? '0', 16)) };
  }
  const hex = /^hex(?:\(([0-9a-f]{1,8})\))?:([\s\S]*)$/i.exec(value);
  if (hex === null)
    throw new RegFileError(line, `'${name}' has a value that is neither string, dword nor hex: ${value}`);
  const type = hex[1] === undefined ? REG_BINARY : Number.parseInt(hex[1], 16);
  const data = parseBytes((hex[2] ?? '').replace(/;.*$/, ''), name, line);
  return { kind: 'set', name, type, data: ansi && isStringType(type) ? widen(data) : data };
}

function parseBytes(text: string, name: string, line: number): Uint8Array {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return Uint8Array.from(parts, (part) => {
    if (!/^[0-9a-f]{1,2}$/i.test(part)) throw new RegFileError(line, `'${name}': '${part}' is no byte`);
    return Number.parseInt(part, 16);
  });
}

/** REG_SZ, REG_EXPAND_SZ, REG_LINK and REG_MULTI_SZ hold text. */
function isStringType(type: number): boolean {
  return type === 1 || type === 2 || type === 6 || type === 7;
}

/** REGEDIT4 writes a byte for each character. */
function widen(data: Uint8Array): Uint8Array {
  return encodeUtf16(String.fromCharCode(...data));
}

function unescapeString(text: string): string {
  return text.replace(/\\([\s\S])/g, '$1');
}

function escapeString(text: string): string {
  return text.replace(/[\\"]/g, '\\$&');
}

/** Applies sections in their order: keys made or deleted, values set or deleted. Throws NtError where the registry refuses. */
export function applyReg(registry: Registry, sections: readonly RegFileSection[]): void {
  for (const { path, deleteKey, values } of sections) {
    const full = fullPath(path);
    if (deleteKey) {
      registry.openKey(full)?.deleteTree();
      continue;
    }
    const key = registry.createKey(full);
    for (const value of values) {
      if (value.kind === 'set') key.setValue(value.name, value.type, value.data);
      else key.deleteValue(value.name);
    }
  }
}

/**
 * A .reg file of a key and all below it, with CR LF as on Windows; volatile keys and links are left out. Null when there is no such
 * key. `path` is what the keys are written under (`HKLM\…` is written in full).
 */
export function formatReg(registry: Registry, path: string): string | null {
  const key = registry.openKey(fullPath(path));
  if (key === null) return null;
  const lines = [HEADER, ''];
  writeKey(lines, key, longName(path));
  return `${lines.join('\r\n')}\r\n`;
}

function longName(path: string): string {
  return path
    .replace(/^HKLM(?=\\|$)/i, 'HKEY_LOCAL_MACHINE')
    .replace(/^HKU(?=\\|$)/i, 'HKEY_USERS')
    .replace(/^HKCU(?=\\|$)/i, 'HKEY_CURRENT_USER')
    .replace(/^HKCR(?=\\|$)/i, 'HKEY_CLASSES_ROOT')
    .replace(/^\\Registry\\Machine(?=\\|$)/i, 'HKEY_LOCAL_MACHINE')
    .replace(/^\\Registry\\User(?=\\|$)/i, 'HKEY_USERS')
    .replace(/\\$/, '');
}

function writeKey(lines: string[], key: RegistryKey, path: string): void {
  lines.push(`[${path}]`);
  for (const { name, type, data } of key.values) {
    lines.push(`${name === '' ? '@' : `"${escapeString(name)}"`}=${formatValue(name, type, data)}`);
  }
  lines.push('');
  for (const subkey of key.subkeys) {
    if (!subkey.isVolatile && subkey.linkTarget === null) writeKey(lines, subkey, `${path}\\${subkey.name}`);
  }
}

/** Column at which a hex list goes to the next line. */
const LINE_LENGTH = 80;

function formatValue(name: string, type: number, data: Uint8Array): string {
  if (type === REG_SZ) {
    const text = plainString(data);
    if (text !== null) return `"${escapeString(text)}"`;
  }
  const number = type === REG_DWORD ? decodeDword(data) : null;
  if (number !== null) return `dword:${number.toString(16).padStart(8, '0')}`;
  let line = type === REG_BINARY ? 'hex:' : `hex(${type.toString(16)}):`;
  const lines: string[] = [];
  let column = line.length + name.length + 3;
  for (const [index, byte] of data.entries()) {
    const last = index === data.length - 1;
    line += `${byte.toString(16).padStart(2, '0')}${last ? '' : ','}`;
    column += 3;
    if (!last && column >= LINE_LENGTH - 3) {
      lines.push(`${line}\\`);
      line = '  ';
      column = 2;
    }
  }
  return [...lines, line].join('\r\n');
}

/** A string with exactly one terminator, at its end, that a quoted string can hold; else null: it is written as hex(1). */
function plainString(data: Uint8Array): string | null {
  if (data.length < 2 || data.length % 2 !== 0) return null;
  const text = decodeUtf16(data);
  const body = text.slice(0, -1);
  // Line breaks are legal within quotes, but a lone CR would not survive the reading of lines.
  return text.endsWith('\0') && !/[\0\r\n]/.test(body) ? body : null;
}
