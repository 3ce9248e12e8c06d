export * from './ac97-registers.ts';
