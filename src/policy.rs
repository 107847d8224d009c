//! Purpose limitation (doelbinding): Cedar policies and the permit they give.
