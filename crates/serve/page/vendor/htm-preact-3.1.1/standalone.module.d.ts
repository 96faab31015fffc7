// What the file exports, as far as the page uses it.
export type VNode = { readonly __v: unique symbol };
export type Child = VNode | string | number | bigint | boolean | null | undefined | Child[];
export type Ref<T> = { current: T };

export function html(strings: TemplateStringsArray, ...values: unknown[]): VNode;
export function h(type: unknown, props?: unknown, ...children: unknown[]): VNode;
export function render(tree: Child, parent: Element): void;

export abstract class Component<P = object, S = object> {
  constructor(props?: P);
  props: P;
  state: S;
  setState(change: Partial<S>, then?: () => void): void;
  abstract render(props: P, state: S): Child;
}

type Effect = () => void | (() => void);
export function useState<T>(initial: T | (() => T)): [T, (next: T | ((now: T) => T)) => void];
export function useReducer<S, A>(reducer: (state: S, action: A) => S, initial: S): [S, (action: A) => void];
export function useEffect(effect: Effect, inputs?: readonly unknown[]): void;
export function useLayoutEffect(effect: Effect, inputs?: readonly unknown[]): void;
export function useRef<T>(initial: T): Ref<T>;
export function useMemo<T>(make: () => T, inputs: readonly unknown[]): T;
export function useCallback<F extends (...args: never[]) => unknown>(call: F, inputs: readonly unknown[]): F;
export function useErrorBoundary(caught?: (error: unknown) => void): [unknown, () => void];
