import type { CodecFunctionGroup, CodecWidget } from './model.ts';
import * as V from './verbs.ts';

/** The widgets of a function group by node id, with the questions that planning asks. */
export class WidgetGraph {
  readonly #widgets: ReadonlyMap<number, CodecWidget>;
  readonly group: CodecFunctionGroup;

  constructor(group: CodecFunctionGroup) {
    this.group = group;
    this.#widgets = new Map(group.widgets.map((widget) => [widget.nid, widget]));
  }

  get(nid: number): CodecWidget | undefined {
    return this.#widgets.get(nid);
  }

  /** @throws Error for a node that is none: a way leads over widgets only */
  widget(nid: number): CodecWidget {
    const widget = this.#widgets.get(nid);
    if (widget === undefined) throw new Error(`no widget ${nid}`);
    return widget;
  }

  /** Connections to widgets, with their places. */
  inputs(widget: CodecWidget): readonly { readonly connection: number; readonly source: CodecWidget }[] {
    return widget.connections.flatMap((nid, connection) => {
      const source = this.#widgets.get(nid);
      return source === undefined ? [] : [{ connection, source }];
    });
  }
}

/** Signals go through these from an input to the output. */
export function passesThrough(widget: CodecWidget): boolean {
  return widget.type === 'mixer' || widget.type === 'selector';
}

/** The pins that can be jacks of the function group's devices, and why the others cannot. */
export type PinUse =
  | { readonly use: 'render' | 'capture'; readonly digital: boolean }
  | { readonly use: 'none'; readonly reason: string | null };

const DEVICE_DIRECTIONS: Readonly<Record<number, 'render' | 'capture' | 'modem'>> = {
  [V.DEVICE_LINE_OUT]: 'render',
  [V.DEVICE_SPEAKER]: 'render',
  [V.DEVICE_HEADPHONE]: 'render',
  [V.DEVICE_CD]: 'capture',
  [V.DEVICE_SPDIF_OUT]: 'render',
  [V.DEVICE_DIGITAL_OUT]: 'render',
  [V.DEVICE_MODEM_LINE]: 'modem',
  [V.DEVICE_MODEM_HANDSET]: 'modem',
  [V.DEVICE_LINE_IN]: 'capture',
  [V.DEVICE_AUX]: 'capture',
  [V.DEVICE_MIC]: 'capture',
  [V.DEVICE_TELEPHONY]: 'modem',
  [V.DEVICE_SPDIF_IN]: 'capture',
  [V.DEVICE_DIGITAL_IN]: 'capture',
};

/** What a pin is for, by its configuration default, so far as it can do that. */
export function pinUse(widget: CodecWidget): PinUse {
  const { pin } = widget;
  if (pin === null) return { use: 'none', reason: null };
  const { caps, config } = pin;
  if (config.port === V.PORT_NONE) return { use: 'none', reason: null };
  const { digital } = widget;
  const direction = DEVICE_DIRECTIONS[config.device] ?? (caps.output ? 'render' : 'capture');
  if (direction === 'modem') return { use: 'none', reason: 'telephony is not offered' };
  if (direction === 'render' && !caps.output)
    return { use: 'none', reason: 'its configuration says output, and it has none' };
  if (direction === 'capture' && !caps.input)
    return { use: 'none', reason: 'its configuration says input, and it has none' };
  return { use: direction, digital };
}
