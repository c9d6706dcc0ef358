import { useState } from "preact/hooks";
import { Field, Mark, Problem } from "../ui";

export function Login({ problem, enter }: { problem: { message: string; hint: string } | undefined; enter: (token: string) => void }) {
  const [text, setText] = useState("");
  return (
    <main class="login" id="main">
      <form onSubmit={(event) => { event.preventDefault(); enter(text.trim()); }}>
        <h1 class="brand"><Mark />Understudy</h1>
        <p class="quiet">Open the address that <code>understudy console</code> printed, or give a role token.</p>
        <Field label="Token" type="password" autocomplete="off" required autoFocus placeholder="ut-…" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        {problem && <Problem title="Not let in" message={problem.message} hint={problem.hint} />}
        <button type="submit" class="primary">Open the console</button>
        <p class="quiet">An admin issues tokens: <code>understudy access token --role auditor</code></p>
      </form>
    </main>
  );
}
