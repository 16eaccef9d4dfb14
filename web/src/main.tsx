import { render } from "preact";
import { App } from "./app";
import { takeHandedOver } from "./sign_in/handOver";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";

takeHandedOver();
const place = document.getElementById("page");
if (place) render(<App />, place);
