import { href } from "../routing";

export function NotFound() {
  return (
    <div class="empty">
      <h1>There is no such page</h1>
      <p><a href={href("sessions")}>All sessions</a></p>
    </div>
  );
}
