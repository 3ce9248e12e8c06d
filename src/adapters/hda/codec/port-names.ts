import { colorName, placeName } from './jack-description.ts';
import type { CodecWidget } from './model.ts';

/** A port to be named: what it is, and the pin of its first jack. */
export interface PortToName {
  readonly device: string;
  readonly pin: CodecWidget;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Names that tell the ports apart: the device alone where it is the only one, else with its place, its colour, or a number. */
export function portNames(ports: readonly PortToName[]): readonly string[] {
  const config = (port: PortToName) => port.pin.pin?.config ?? { location: 0, color: 0 };
  const forms: readonly ((port: PortToName) => string)[] = [
    (port) => port.device,
    (port) => words(placeName(config(port).location), port.device),
    (port) => words(placeName(config(port).location), colorName(config(port).color), port.device),
  ];
  const names = ports.map((port) => {
    const rivals = ports.filter(({ device }) => device === port.device);
    const form = forms.find((name) => rivals.filter((rival) => name(rival) === name(port)).length === 1);
    return (form ?? forms.at(-1)!)(port);
  });
  return names.map((name, index) => {
    const before = names.slice(0, index).filter((other) => other === name).length;
    return before === 0 ? name : `${name} ${before + 1}`;
  });
}

function words(...parts: readonly string[]): string {
  return parts
    .filter((part) => part !== '')
    .map(capitalized)
    .join(' ');
}
