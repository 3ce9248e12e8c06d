import {
  type ChannelName,
  MEMPAGE,
  PAGE_ADC,
  PAGE_DAC,
  PAGE_WINDOW,
  SERIAL,
} from '../../hardware/es1370/registers.ts';
import { CHANNELS, MAPS } from './bench.ts';

/** What the traffic so far did, as far as differences depend on it. */
export interface Es1370History {
  /** The selected memory page. */
  readonly page: number;
  readonly running: ReadonlySet<ChannelName>;
  /** Channels that ran since their sample counter was written: where it stands is a matter of time. */
  readonly counted: ReadonlySet<ChannelName>;
  /** Channels that ran since their index was written. */
  readonly moved: ReadonlySet<ChannelName>;
  /** Channels whose request may be pending on one side and not on the other. */
  readonly asking: ReadonlySet<ChannelName>;
}

/** Which channel's buffer register a dword of the page window is, null for none. */
export function frameRegisterAt(
  page: number,
  offset: number,
): { readonly channel: ChannelName; readonly isSize: boolean } | null {
  const isSize = (offset & 4) !== 0;
  if (page === PAGE_DAC && offset >= PAGE_WINDOW)
    return { channel: offset < PAGE_WINDOW + 8 ? 'DAC1' : 'DAC2', isSize };
  return page === PAGE_ADC && offset >= PAGE_WINDOW && offset < PAGE_WINDOW + 8
    ? { channel: 'ADC', isSize }
    : null;
}

/** Keeps {@link Es1370History} while the traffic goes on. */
export class Es1370HistoryKeeper implements Es1370History {
  page = 0;
  readonly running = new Set<ChannelName>();
  readonly counted = new Set<ChannelName>();
  readonly moved = new Set<ChannelName>();
  readonly asking = new Set<ChannelName>();

  /** Power-on and {@link Es1370Bench.prepare}. */
  clear(): void {
    this.page = 0;
    for (const set of [this.running, this.counted, this.moved, this.asking]) set.clear();
  }

  started(channel: ChannelName, interrupt: boolean): void {
    this.running.add(channel);
    this.counted.add(channel);
    this.moved.add(channel);
    if (interrupt) this.asking.add(channel);
    else this.asking.delete(channel);
  }

  stopped(channel: ChannelName): void {
    this.running.delete(channel);
  }

  /** A register write of a dword, or to MEMPAGE. */
  noteWrite(offset: number, value: number): void {
    if (offset === MEMPAGE) this.page = value & 0x0f;
    if (offset === SERIAL) {
      for (const channel of CHANNELS)
        if ((value & MAPS[channel].interruptEnable) === 0) this.asking.delete(channel);
    }
    for (const channel of CHANNELS)
      if (offset === MAPS[channel].countRegister && !this.running.has(channel)) this.counted.delete(channel);
    const frame = frameRegisterAt(this.page, offset);
    if (frame?.isSize && !this.running.has(frame.channel)) this.moved.delete(frame.channel);
  }
}
