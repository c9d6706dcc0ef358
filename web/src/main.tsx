import { render } from "preact";
render(<p>Understudy</p>, document.getElementById("app")!);
