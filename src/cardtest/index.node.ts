/** What of the card tests needs Node: cards in QEMU. */
export { qemuCardFactory } from './qemu-card.node.ts';
