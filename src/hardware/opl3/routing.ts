/** How the operators of a YMF262 are connected: which modulates which, and which are heard where. */
import type { Operator } from './operator.ts';
import { FC_CHA, FC_CHB, FC_CNT, FC_FB } from './registers.ts';
import type { FmVoice } from './tone.ts';

/** A channel: two operators and its connection register. */
export interface RoutedChannel {
  readonly operators: readonly [Operator, Operator];
  /** The operators' places in the order in which the chip serves them. */
  readonly slots: readonly [number, number];
  /** Register C0h … C8h. */
  readonly feedbackConnection: number;
}

/** How a channel is used. */
export type ChannelUse = 'two' | 'lower of four' | 'upper of four' | 'bass drum' | 'drums';

/** An operator that is rendered by itself; its feedback is set in it. */
export interface LoneOperator {
  readonly operator: Operator;
  readonly modulator: Operator | null;
}

/** An operator that is heard. */
export interface HeardOperator {
  readonly operator: Operator;
  readonly leftMask: number;
  readonly rightMask: number;
}

/**
 * What is heard at the same time: the chip sums up a side when it has served part of its slots, so the others are heard with their
 * sample before.
 */
export interface LatencyGroup {
  /** Two-operator channels in which one modulates the other, for the loops that render two channels together. */
  readonly voices: FmVoice[];
  /** Heard operators among {@link Routing.lone}. */
  readonly heard: HeardOperator[];
}

/** A two-operator channel of which both are heard, and the groups of its operators. */
export interface AddedVoice {
  readonly voice: FmVoice;
  readonly firstGroup: number;
  readonly secondGroup: number;
}

/** All connections. */
export interface Routing {
  /** In the order of rendering: modulators first. */
  readonly lone: LoneOperator[];
  readonly added: AddedVoice[];
  /** Slots 0–14: neither side late. Slots 15–32: left late. Slots 33–35: both sides late. */
  readonly groups: readonly [LatencyGroup, LatencyGroup, LatencyGroup];
}

/** Reads the connections off the registers. `outputs` is false in the compatible mode, where every channel is heard on both sides. */
export function makeRouting(
  channels: readonly RoutedChannel[],
  use: (channel: number) => ChannelUse,
  outputs: boolean,
): Routing {
  const router = new Router(outputs);
  for (const [index, channel] of channels.entries()) {
    switch (use(index)) {
      case 'two':
        router.two(channel);
        break;
      case 'lower of four':
        router.four(channel, channels[index + 3]!);
        break;
      case 'upper of four':
        break;
      case 'bass drum':
        router.bassDrum(channel);
        break;
      default:
        router.drums(channel);
    }
  }
  return router.routing;
}

class Router {
  readonly routing: Routing = {
    lone: [],
    added: [],
    groups: [
      { voices: [], heard: [] },
      { voices: [], heard: [] },
      { voices: [], heard: [] },
    ],
  };
  readonly #outputs: boolean;

  constructor(outputs: boolean) {
    this.#outputs = outputs;
  }

  /** CNT 0: the first operator modulates the second. CNT 1: both are heard. */
  two(channel: RoutedChannel): void {
    const [first, second] = channel.operators;
    first.setFeedback(feedbackOf(channel));
    const voice: FmVoice = { modulator: first, carrier: second, ...this.#masks(channel) };
    const [firstGroup, secondGroup] = [groupOf(channel.slots[0]), groupOf(channel.slots[1])];
    if (adds(channel)) this.routing.added.push({ voice, firstGroup, secondGroup });
    else this.routing.groups[secondGroup].voices.push(voice);
  }

  /**
   * Four operators (application manual, "4-operator mode") by the CNT bits of lower and upper channel. All are heard through the
   * upper channel's outputs.
   *
   *     0 0   1(fb) → 2 → 3 → 4 →            0 1   1(fb) → 2 →  +  3 → 4 →
   *     1 0   1(fb) →  +  2 → 3 → 4 →        1 1   1(fb) →  +  2 → 3 →  +  4 →
   */
  four(lower: RoutedChannel, upper: RoutedChannel): void {
    const [one, two] = lower.operators;
    const [three, four] = upper.operators;
    const lowerAdds = adds(lower);
    const upperAdds = adds(upper);
    this.#lone(one, null, feedbackOf(lower));
    this.#lone(two, lowerAdds ? null : one);
    this.#lone(three, !lowerAdds && upperAdds ? null : two);
    this.#lone(four, lowerAdds && upperAdds ? null : three);
    if (lowerAdds) this.#hear(upper, lower, 0);
    else if (upperAdds) this.#hear(upper, lower, 1);
    if (lowerAdds && upperAdds) this.#hear(upper, upper, 0);
    this.#hear(upper, upper, 1);
  }

  /** A channel of which the second operator alone is heard, twice as loud. */
  bassDrum(channel: RoutedChannel): void {
    const [first, second] = channel.operators;
    this.#lone(first, null, feedbackOf(channel));
    this.#lone(second, adds(channel) ? null : first);
    this.#hearTwice(channel, 1);
  }

  /** Two single operators, twice as loud. Three of the four are rendered by the rhythm section; the tom-tom is a lone operator. */
  drums(channel: RoutedChannel): void {
    if (channel.slots[0] === TOM_TOM_SLOT) this.#lone(channel.operators[0], null);
    this.#hearTwice(channel, 0);
    this.#hearTwice(channel, 1);
  }

  #lone(operator: Operator, modulator: Operator | null, feedback = 0): void {
    operator.setFeedback(feedback);
    this.routing.lone.push({ operator, modulator });
  }

  #hear(outputs: RoutedChannel, channel: RoutedChannel, which: 0 | 1): void {
    const { heard } = this.routing.groups[groupOf(channel.slots[which])];
    heard.push({ operator: channel.operators[which], ...this.#masks(outputs) });
  }

  #hearTwice(channel: RoutedChannel, which: 0 | 1): void {
    this.#hear(channel, channel, which);
    this.#hear(channel, channel, which);
  }

  #masks(channel: RoutedChannel): { leftMask: number; rightMask: number } {
    const on = (bit: number): number => (!this.#outputs || (channel.feedbackConnection & bit) !== 0 ? -1 : 0);
    return { leftMask: on(FC_CHA), rightMask: on(FC_CHB) };
  }
}

/** The latency group of an operator by its place in the chip's order. */
function groupOf(slot: number): 0 | 1 | 2 {
  return slot < 15 ? 0 : slot < 33 ? 1 : 2;
}

/** The tom-tom is the one drum that is an ordinary operator. */
const TOM_TOM_SLOT = 14;

function adds(channel: RoutedChannel): boolean {
  return (channel.feedbackConnection & FC_CNT) !== 0;
}

function feedbackOf(channel: RoutedChannel): number {
  return (channel.feedbackConnection & FC_FB) >> 1;
}
