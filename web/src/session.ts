// Who looks at the page, and with which roles: known once the token was accepted.
import type { Me, Role } from "./types";

let who: Me | null = null;
export const setMe = (me: Me | null): void => { who = me; };
export const me = (): Me | null => who;
export const may = (role: Role): boolean => who?.roles.includes(role) ?? false;
