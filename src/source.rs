//! Systems that hold the information (bronnen).
