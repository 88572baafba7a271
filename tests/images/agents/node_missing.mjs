// Imports a package that was not installed.
import express from "express";

express().listen(8080, "0.0.0.0");
